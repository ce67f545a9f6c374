# grace: grace periods across processes
