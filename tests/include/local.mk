# tests of include/rackkv
dist_check_SCRIPTS += %D%/check_headers.sh
