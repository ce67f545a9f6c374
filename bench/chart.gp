# What the charts of all benchmarks share. A chart is drawn by `gnuplot -c NAME.gp NAME.csv NAME.svg`, and is
#   csv = ARG1; svg = ARG2; height = 700
#   load system("dirname " . ARG0) . "/../chart.gp"
#   set multiplot layout 2,1 @heading
# Axes of figures begin at zero; one that cannot says so in its title. Above the charts stands what the line "# measured" of
# the CSV says (bench/provenance): without it there is no chart.
measured = system("sed -n 's/^# measured /measured /p' '" . csv . "' | tail -1")
if (strlen(measured) == 0) {
    print csv . ": no line says when and where this was measured: bench/provenance writes one"
    exit status 1
}
heading = "title measured font ',11'"
set terminal svg noenhanced size 1000,height background rgb 'white' font 'sans,12'
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
