# include/rackkv: what another program may read. tests/include compiles each header by itself.
rackkvincludedir = $(includedir)/rackkv
rackkvinclude_HEADERS = $(rk_public_headers)
rk_public_headers = %D%/control.h %D%/disk.h %D%/stats.h
nodist_rackkvinclude_HEADERS = %D%/version.h
pkgconfigdir = $(libdir)/pkgconfig
nodist_pkgconfig_DATA = rackkv.pc
