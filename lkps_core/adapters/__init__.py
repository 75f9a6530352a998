"""The outside, one module a port: each turns its library's errors into ours."""
