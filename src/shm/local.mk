# shm: regions and the handover between processes
