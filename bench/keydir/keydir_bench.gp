# gnuplot -c keydir_bench.gp keydir_bench.csv keydir_bench.svg
csv = ARG1; svg = ARG2; height = 1200
load system("dirname " . ARG0) . "/../chart.gp"
set xrange [0:21]
set multiplot layout 4,1 @heading
set xlabel 'million keys'
set ylabel 'bytes a key'
set yrange [0:30]
set title 'memory: pages, directory and pool, all included'
plot rows('$2 == 8') using 1:3 title 'keys of 8 bytes', \
     rows('$2 == 64') using 1:3 title '64 bytes', \
     rows('$2 == 512') using 1:3 title '512 bytes', \
     25 with lines dashtype 2 title 'aim'
set yrange [0:*]
set ylabel 'million operations a second'
set title 'lookups, one thread, with the hashing of the key'
plot rows('$2 == 8') using 1:8 title 'keys of 8 bytes', \
     rows('$2 == 64') using 1:8 title '64 bytes', \
     rows('$2 == 512') using 1:8 title '512 bytes'
set title 'the table alone: lookups of hashes that are there, one thread unless said'
plot rows('$2 == 8') using 1:7 title 'keydir', \
     rows('$2 == 8') using 1:9 title 'keydir, absent keys', \
     rows('$2 == 8') using 1:10 title 'keydir, 2 threads', \
     rows('$2 == 8') using 1:11 title 'plain array of the same load', \
     rows('$2 == 8') using 1:12 title 'rculfhash of liburcu'
set title 'the writer, with the hashing of keys of 8, 64 and 512 bytes, unless said'
plot rows('$2 == 8') using 1:6 title 'insert', \
     rows('$2 == 64') using 1:6 title 'insert, 64', \
     rows('$2 == 512') using 1:6 title 'insert, 512', \
     rows('$2 == 8') using 1:14 title 'update', \
     rows('$2 == 8') using 1:15 title 'insert and update, table alone', \
     rows('$2 == 8') using 1:17 title 'delete'
unset multiplot
