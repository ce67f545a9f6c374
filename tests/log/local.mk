# tests of src/log
