"""What goes over the wire: bodies in and out, problem documents, the API's description."""
