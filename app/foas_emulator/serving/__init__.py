"""Serve the application: sockets, HTTP on each connection, certificates, and what runs beside the server."""
