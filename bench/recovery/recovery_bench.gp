# gnuplot -c recovery_bench.gp recovery_bench.csv recovery_bench.svg
csv = ARG1; svg = ARG2; height = 800
load system("dirname " . ARG0) . "/../chart.gp"
set xrange [0:21]
set multiplot layout 2,1 @heading
set xlabel 'million keys'
set ylabel 'million records a second'
set title 'recovery from the page cache, two processors'
plot rows('$2 == 15 && $3 == 1') using 1:6 title 'hints, values of 15 bytes', \
     rows('$2 == 15 && $3 == 3') using 1:6 title 'hints, each key written 3 times', \
     rows('$2 == 15 && $3 == 1') using 1:8 title 'scan, values of 15 bytes', \
     rows('$2 == 15 && $3 == 3') using 1:8 title 'scan, each key written 3 times', \
     10 with lines dashtype 2 title 'aim of hints'
set ylabel 'rate, as a part of that of cat'
set title 'scanning beside cat of the same files, both from the page cache'
plot rows('$2 == 15 && $3 == 1') using 1:12 title '15 bytes', \
     rows('$2 == 1024') using 1:12 title '1 KiB', \
     rows('$2 == 4096') using 1:12 title '4 KiB', \
     0.7 with lines dashtype 2 title 'aim'
unset multiplot
