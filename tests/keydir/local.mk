# tests of src/keydir
