"""The OpenAPI documents of the service and of the control API, made from the declarations on request."""
