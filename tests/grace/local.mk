# tests of src/grace
