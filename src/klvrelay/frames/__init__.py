"""Video frames: the times that they carry."""
