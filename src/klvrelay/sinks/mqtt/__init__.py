"""Records and latest values to an MQTT broker."""
