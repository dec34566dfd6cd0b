#include "delta/explain.h"

static const char *const cost_names[MUE_COSTS] = {
	[MUE_COST_MAP] = "copy map",
	[MUE_COST_GAPS] = "gaps and small copies",
	[MUE_COST_FRESH] = "inserted bytes",
	[MUE_COST_GOOD] = "right or wrong",
	[MUE_COST_ADDRESS] = "corrected addresses",
	[MUE_COST_BYTES] = "changed bytes",
};

static const char *const kind_names[MUE_DELTA_KINDS] = {
	[MUE_DELTA_BYTES] = "bytes",         [MUE_DELTA_WIDE] = "long instructions",
	[MUE_DELTA_CALL] = "calls",          [MUE_DELTA_BRANCH] = "branches",
	[MUE_DELTA_LOCAL] = "literal loads", [MUE_DELTA_POINTER] = "pointers",
	[MUE_DELTA_DATA] = "data addresses", [MUE_DELTA_SPLIT] = "address halves",
};

void mue_explain(FILE *f, const struct mue_encoding *enc, const struct mue_delta_header *h)
{
	fprintf(f, "patch %zu bytes: %s, %u -> %u bytes, bases 0x%x -> 0x%x\n", enc->len,
		mue_delta_isa_name(h->isa), h->old_size, h->new_size, h->variant[0].old_base,
		h->variant[0].new_base);
	fprintf(f, "%-24s%10zu\n", "header", enc->header);
	for (int i = 0; i < MUE_COSTS; i++)
		fprintf(f, "%-24s%10.1f\n", cost_names[i], enc->cost[i] / 8);
	fprintf(f, "copies %zu, of these in the map %zu; inserted bytes %zu\n", enc->copies,
		enc->blocks, enc->fresh);
	fprintf(f, "%-24s%10s%10s%10s\n", "units", "number", "wrong", "bytes");
	for (int i = 0; i < MUE_DELTA_KINDS; i++)
		if (enc->units[i])
			fprintf(f, "  %-22s%10u%10u%10.1f\n", kind_names[i], enc->units[i],
				enc->wrong[i], enc->wrong_cost[i] / 8);
}
