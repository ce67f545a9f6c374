# tests of src/http
