# gnuplot -e "csv='keydir_bench.csv'; svg='keydir_bench.svg'" keydir_bench.gp
set terminal svg size 1000,900 background rgb 'white'
set output svg
set datafile separator ','
set datafile commentschars '#'
set key outside right
set grid
set xrange [0:*]
set yrange [0:*]
set multiplot layout 3,1
set xlabel 'million keys'
set ylabel 'bytes a key'
set yrange [20:26]
plot csv using 1:($2==8 ? $3 : 1/0) skip 1 with linespoints title 'pages, directory, pool', \
     25 with lines dashtype 2 title 'limit'
set yrange [0:*]
set ylabel 'million operations a second'
set title 'lookups, one thread unless said'
plot csv using 1:($2==8 ? $7 : 1/0) skip 1 with linespoints title 'keydir', \
     csv using 1:($2==8 ? $9 : 1/0) skip 1 with linespoints title 'keydir, absent keys', \
     csv using 1:($2==8 ? $10 : 1/0) skip 1 with linespoints title 'keydir, 2 threads', \
     csv using 1:($2==8 ? $11 : 1/0) skip 1 with linespoints title 'plain array', \
     csv using 1:($2==8 ? $12 : 1/0) skip 1 with linespoints title 'rculfhash'
set title 'the writer, fingerprints of keys of 8 (solid), 64 and 512 bytes included'
plot csv using 1:($2==8 ? $6 : 1/0) skip 1 with linespoints title 'insert', \
     csv using 1:($2==64 ? $6 : 1/0) skip 1 with lines dashtype 2 title 'insert, 64', \
     csv using 1:($2==512 ? $6 : 1/0) skip 1 with lines dashtype 3 title 'insert, 512', \
     csv using 1:($2==8 ? $14 : 1/0) skip 1 with linespoints title 'update', \
     csv using 1:($2==8 ? $15 : 1/0) skip 1 with linespoints title 'insert and update, without', \
     csv using 1:($2==8 ? $17 : 1/0) skip 1 with linespoints title 'delete'
unset multiplot
