"""Video frames and the times that they carry."""
