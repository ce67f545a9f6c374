# What the charts of all benchmarks share. A chart is drawn by `gnuplot -c NAME.gp NAME.csv NAME.svg`, and begins with
#   csv = ARG1; svg = ARG2; height = 700
#   load system("dirname " . ARG0) . "/../chart.gp"
set terminal svg size 1000,height background rgb 'white' font 'sans,12'
set output svg
set datafile separator ','
set style data linespoints
set key outside right top
set lmargin 10
set rmargin 40
set grid
set xrange [0:*]
set yrange [0:*]

# The rows of the CSV for which an awk condition holds: a line of the chart.
rows(condition) = "< awk -F, 'NR > 1 && !/^#/ && (" . condition . ")' '" . csv . "'"
