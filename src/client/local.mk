# client: talks to a server over HTTP
