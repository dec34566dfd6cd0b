/*
 * explain.h - says in a table where the bytes of a patch went.
 */
#ifndef MUE_DELTA_EXPLAIN_H
#define MUE_DELTA_EXPLAIN_H

#include "delta/encode.h"

void mue_explain(FILE *f, const struct mue_encoding *enc, const struct mue_delta_header *h);

#endif
