# tests of the whole: real programs over real sockets and files
