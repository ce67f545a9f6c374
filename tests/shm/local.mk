# tests of src/shm
