# conf: the configuration file, typed
