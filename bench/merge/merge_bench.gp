# gnuplot -e "csv='merge_bench.csv'; svg='merge_bench.svg'" merge_bench.gp
set terminal svg size 1000,700 background rgb 'white'
set output svg
set datafile separator ','
set key outside right
set grid
set xrange [0:100]
set xlabel 'percent of the bytes that are dead'
set multiplot layout 2,1
set logscale y
set ylabel 'bytes written for each that comes back'
set title 'write amplification of merging everything'
plot csv using 2:($1==100 ? $10 : 1/0) skip 1 with linespoints title '100 bytes', \
     csv using 2:($1==1000 ? $10 : 1/0) skip 1 with linespoints title '1000 bytes', \
     csv using 2:($1==100000 ? $10 : 1/0) skip 1 with linespoints title '100 KB'
unset logscale y
set yrange [0:*]
set ylabel 'rate, as a part of that of cp'
set title 'merging beside cp of the live bytes (both synced)'
plot csv using 2:($1==100 ? $9 : 1/0) skip 1 with linespoints title '100 bytes', \
     csv using 2:($1==1000 ? $9 : 1/0) skip 1 with linespoints title '1000 bytes', \
     csv using 2:($1==100000 ? $9 : 1/0) skip 1 with linespoints title '100 KB', \
     0.7 with lines dashtype 2 title 'aim'
unset multiplot
