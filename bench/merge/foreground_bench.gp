# gnuplot -c foreground_bench.gp foreground_bench.csv foreground_bench.svg
# Columns: workload,load,merge,rounds,requests_per_s,p50_us,p99_us,p999_us,busy_percent,merge_mib_per_s,ratios
csv = ARG1; svg = ARG2; height = 860
load system("dirname " . ARG0) . "/../chart.gp"
set lmargin 9
set rmargin 2
set bmargin 5
set key inside left top
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.8 border rgb 'white'
set boxwidth 0.95
set grid ytics noxtics
set xtics scale 0
load_of(load) = load eq '64' ? "64\nconnections" : load eq '8:1' ? "8 that\npause 1 ms" : load
name_of(row) = sprintf("%s,\n%s", strcol(1) eq 'get' ? 'GET' : strcol(1) eq 'put' ? 'PUT' : strcol(1), load_of(strcol(2)))
of(merge, load) = rows('$3 == "' . merge . '" && ("' . load . '" == "" || $2 == "' . load . '")')
# The two loads differ so much that each has an axis of its own.
latencies = "plot of('none', this) using 7:xticlabels(name_of(0)) title 'no merge, p99' lc rgb '#777777', \
     of('none', this) using 8 title 'no merge, p99.9' lc rgb '#cccccc', \
     of('paced', this) using 7 title 'paced, p99' lc rgb '#1f77b4', \
     of('paced', this) using 8 title 'paced, p99.9' lc rgb '#aecbe8', \
     of('unlimited', this) using 7 title 'unlimited, p99' lc rgb '#d9541e', \
     of('unlimited', this) using 8 title 'unlimited, p99.9' lc rgb '#f5bfa6'"
set multiplot layout 2,2 @heading
set xrange [-0.6:1.6]
set ylabel 'microseconds'
set title 'time for an answer: 99th and 99.9th percentile (8 connections)'
this = '8:1'
set yrange [0:1500<*]
@latencies
set title 'the same, 64 connections'
this = '64'
set yrange [0:12000<*]
set key right top
@latencies
set xrange [-0.6:3.6]
set key left top
set yrange [0:2<*]
set ylabel 'multiple of without a merge'
set title 'p99 while merging, beside that without (aims: paced 1.2, unlimited 1.5)'
set arrow 1 from graph 0, first 1.2 to graph 1, first 1.2 nohead dt 2 lc rgb '#1f77b4'
set arrow 2 from graph 0, first 1.5 to graph 1, first 1.5 nohead dt 2 lc rgb '#d9541e'
plot of('paced', '') using 13:xticlabels(name_of(0)) title 'paced' lc rgb '#1f77b4', \
     of('unlimited', '') using 13 title 'unlimited' lc rgb '#d9541e'
unset arrow
set yrange [0:1.4<*]
set ylabel 'part of without a merge'
set title 'requests a second while merging, beside those without'
set arrow 1 from graph 0, first 1 to graph 1, first 1 nohead dt 2 lc rgb '#777777'
plot of('paced', '') using 11:xticlabels(name_of(0)) title 'paced' lc rgb '#1f77b4', \
     of('unlimited', '') using 11 title 'unlimited' lc rgb '#d9541e'
unset multiplot
