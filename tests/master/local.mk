# tests of src/master
