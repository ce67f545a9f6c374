# gnuplot -c foreground_bench.gp foreground_bench.csv foreground_bench.svg
# Columns: workload,load,merge,rounds,requests_per_s,p50_us,p99_us,p999_us,busy_percent,merge_mib_per_s,ratios
csv = ARG1; svg = ARG2; height = 760
load system("dirname " . ARG0) . "/../chart.gp"
set xrange [-0.6:3.6]
set rmargin 28
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.8 border rgb 'white'
set boxwidth 0.95
set grid ytics
set xtics scale 0
set bmargin 4
load_of(load) = load eq '64' ? "64 connections" : load eq '8:1' ? "8 that pause 1 ms" : load
name_of(row) = sprintf("%s,\n%s", strcol(1) eq 'get' ? 'GET' : strcol(1) eq 'put' ? 'PUT' : strcol(1), load_of(strcol(2)))
of(merge) = rows('$3 == "' . merge . '"')
set multiplot layout 2,1
set logscale y
set yrange [10:*]
set format y '%g'
set ylabel 'microseconds'
set title 'the 99th (full) and 99.9th (pale) percentile of the time for an answer'
plot of('none') using 7:xticlabels(name_of(0)) title 'no merge, p99' lc rgb '#777777', \
     of('none') using 8 title 'no merge, p99.9' lc rgb '#cccccc', \
     of('paced') using 7 title 'paced, p99' lc rgb '#1f77b4', \
     of('paced') using 8 title 'paced, p99.9' lc rgb '#aecbe8', \
     of('unlimited') using 7 title 'unlimited, p99' lc rgb '#d9541e', \
     of('unlimited') using 8 title 'unlimited, p99.9' lc rgb '#f5bfa6'
unset logscale y
set yrange [0:1.6<*]
set ylabel 'multiple of without a merge'
set title 'p99 while merging, as a multiple of p99 without (aimed at: paced 1.2, unlimited 1.5)'
set arrow 1 from graph 0, first 1.2 to graph 1, first 1.2 nohead dt 2 lc rgb '#1f77b4'
set arrow 2 from graph 0, first 1.5 to graph 1, first 1.5 nohead dt 2 lc rgb '#d9541e'
plot of('paced') using 13:xticlabels(name_of(0)) title 'paced' lc rgb '#1f77b4', \
     of('unlimited') using 13 title 'unlimited' lc rgb '#d9541e'
unset multiplot
