# http: the only place that knows libh2o
