# log: records, data files, the store's directory
