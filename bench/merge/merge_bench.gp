# gnuplot -c merge_bench.gp merge_bench.csv merge_bench.svg
csv = ARG1; svg = ARG2; height = 800
load system("dirname " . ARG0) . "/../chart.gp"
set xrange [0:100]
set xlabel 'percent of the bytes that are dead'
set multiplot layout 2,1 @heading
set yrange [0:10]
set ylabel 'bytes written for each that comes back'
set title 'write amplification of merging everything'
plot rows('$1 == 100') using 2:10 title 'values of 100 bytes', \
     rows('$1 == 1000') using 2:10 title '1000 bytes', \
     rows('$1 == 100000') using 2:10 title '100 KB'
set yrange [0:*]
set ylabel 'rate, as a part of that of cp'
set title 'merging beside cp of the live bytes, both from the page cache, and synced'
plot rows('$1 == 100') using 2:9 title 'values of 100 bytes', \
     rows('$1 == 1000') using 2:9 title '1000 bytes', \
     rows('$1 == 100000') using 2:9 title '100 KB', \
     0.7 with lines dashtype 2 title 'aim'
unset multiplot
