#include "host/bootname.h"

#include "core/bootstate.h"

const char *mue_boot_reason_name(int reason)
{
	switch (reason) {
#define X(name, number, text) \
	case number:          \
		return text;
		MUE_BOOT_REASON_LIST(X)
#undef X
	default:
		return "?";
	}
}

const char *mue_slot_name(int slot)
{
	static const char *const names[] = { "a", "b", "factory", "recovery" };

	if (slot < 0 || slot > MUE_SLOT_RECOVERY)
		return "none";
	return names[slot];
}
