"""The JSON interface of second factors."""
