/* libpq, loaded when it is first needed: a server on SQLite has neither its libraries in memory nor them installed. */
#ifndef CPOSTGRES_LOADER_H
#define CPOSTGRES_LOADER_H

/* Loads libpq.so.5 and finds every function that is used; from any thread, any number of times.
   Gives NULL, or why it can't be used: then none of libpq's functions may be called. */
const char *postgres_library_failure(void);

#endif
