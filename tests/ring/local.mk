# tests of src/ring
