#include "delta/delta.h"

const struct mue_delta_isa *const mue_delta_isas[] = { &mue_delta_avr,
						       &mue_delta_thumb,
						       &mue_delta_arm32,
						       &mue_delta_arm64,
						       &mue_delta_riscv,
						       &mue_delta_x86_64,
						       NULL };

const char *mue_delta_isa_name(int id)
{
	static const char *const names[] = { "plain", "avr",   "thumb", "arm32",
					     "arm64", "riscv", "x86-64" };

	return id >= 0 && (size_t)id < sizeof(names) / sizeof(names[0]) ? names[id] : "?";
}
