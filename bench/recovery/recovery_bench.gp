# gnuplot -e "csv='recovery_bench.csv'; svg='recovery_bench.svg'" recovery_bench.gp
set terminal svg size 1000,700 background rgb 'white'
set output svg
set datafile separator ','
set key outside right
set grid
set xrange [0:*]
set yrange [0:*]
set multiplot layout 2,1
set xlabel 'million keys'
set ylabel 'million records a second'
set title 'recovery from the page cache: by hints (solid), by scanning (dashed)'
plot csv using 1:($2==15 && $3==1 ? $6 : 1/0) skip 1 with linespoints title '15 bytes', \
     csv using 1:($2==15 && $3==3 ? $6 : 1/0) skip 1 with linespoints title '15 bytes, each key written 3 times', \
     csv using 1:($2==1024 ? $6 : 1/0) skip 1 with linespoints title '1 KiB', \
     csv using 1:($2==15 && $3==1 ? $8 : 1/0) skip 1 with linespoints dashtype 2 title '15 bytes, scan', \
     csv using 1:($2==15 && $3==3 ? $8 : 1/0) skip 1 with linespoints dashtype 2 title '3 times, scan', \
     10 with lines dashtype 3 title 'target of hints'
set ylabel 'scan, as a part of cat'
set title 'scanning beside cat of the same files'
plot csv using 1:($2==15 && $3==1 ? $12 : 1/0) skip 1 with linespoints title '15 bytes', \
     csv using 1:($2==1024 ? $12 : 1/0) skip 1 with linespoints title '1 KiB', \
     csv using 1:($2==4096 ? $12 : 1/0) skip 1 with linespoints title '4 KiB', \
     0.7 with lines dashtype 3 title 'target'
unset multiplot
