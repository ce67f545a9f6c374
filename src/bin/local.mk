# bin: the programs
sbin_PROGRAMS += rackkvd
rackkvd_SOURCES = %D%/rackkvd.c %D%/bin_daemon.c %D%/bin_daemon.h %D%/bin_sanitize.c
rackkvd_LDADD = \
	librk_master.a librk_control.a librk_stats.a librk_recover.a $(RK_COMPACTOR_LIBS) \
	$(RK_WORKER_LIBS) librk_conf.a librk_base.a \
	$(RK_WORKER_EXTERNAL_LIBS) $(JANSSON_LIBS) $(YAML_LIBS)

# What a worker is linked from: none of the master's rooms. tests/worker links exactly this, as the proof.
RK_WORKER_LIBS = \
	librk_worker.a librk_http.a librk_store.a librk_list.a librk_keydir.a librk_disk.a librk_ring.a librk_grace.a librk_shm.a \
	librk_stats.a librk_base.a
RK_WORKER_EXTERNAL_LIBS = $(H2O_LIBS) $(OPENSSL_LIBS) $(URCU_LIBS) $(ISAL_LIBS) $(SODIUM_LIBS)
