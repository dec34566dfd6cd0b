#include "core/suit_command.h"
#include "core/mem.h"

/* Every command we know: draft-ietf-suit-manifest, sections 8.4.9 and 8.4.10, and
 * draft-ietf-suit-update-management, and dependencies of draft-ietf-suit-trust-domains (7, 8, 11,
 * 33).  Custom ones are unknown. */
/* clang-format off */
static const struct {
	uint8_t code, kind, profile, shared;
} rows[] = {
	{ MUE_SUIT_C_VENDOR,            MUE_SUIT_ARG_CONDITION, MUE_SUIT_P0, 1 },
	{ MUE_SUIT_C_CLASS,             MUE_SUIT_ARG_CONDITION, MUE_SUIT_P0, 1 },
	{ MUE_SUIT_C_IMAGE_MATCH,       MUE_SUIT_ARG_CONDITION, MUE_SUIT_P0, 1 },
	{ MUE_SUIT_C_USE_BEFORE,        MUE_SUIT_ARG_CONDITION, MUE_SUIT_P1, 1 },
	{ MUE_SUIT_C_SLOT,              MUE_SUIT_ARG_CONDITION, MUE_SUIT_P0, 1 },
	{ MUE_SUIT_C_CONTENT,           MUE_SUIT_ARG_CONDITION, MUE_SUIT_P1, 1 },
	{ MUE_SUIT_C_DEPENDENCY_INTEGRITY, MUE_SUIT_ARG_CONDITION, MUE_SUIT_P1, 1 },
	{ MUE_SUIT_C_IS_DEPENDENCY,     MUE_SUIT_ARG_CONDITION, MUE_SUIT_P1, 1 },
	{ MUE_SUIT_D_PROCESS_DEPENDENCY, MUE_SUIT_ARG_DIRECTIVE, MUE_SUIT_P1, 0 },
	{ MUE_SUIT_D_SET_INDEX,         MUE_SUIT_ARG_INDEX,     MUE_SUIT_P1, 1 },
	{ MUE_SUIT_C_ABORT,             MUE_SUIT_ARG_CONDITION, MUE_SUIT_P1, 1 },
	{ MUE_SUIT_D_TRY_EACH,          MUE_SUIT_ARG_TRY,       MUE_SUIT_P2, 1 },
	{ MUE_SUIT_D_WRITE,             MUE_SUIT_ARG_DIRECTIVE, MUE_SUIT_P1, 0 },
	{ MUE_SUIT_D_OVERRIDE,          MUE_SUIT_ARG_PARAMS,    MUE_SUIT_P0, 1 },
	{ MUE_SUIT_D_FETCH,             MUE_SUIT_ARG_DIRECTIVE, MUE_SUIT_P0, 0 },
	{ MUE_SUIT_D_COPY,              MUE_SUIT_ARG_DIRECTIVE, MUE_SUIT_P1, 0 },
	{ MUE_SUIT_D_INVOKE,            MUE_SUIT_ARG_DIRECTIVE, MUE_SUIT_P0, 0 },
	{ MUE_SUIT_C_DEVICE,            MUE_SUIT_ARG_CONDITION, MUE_SUIT_P1, 1 },
	{ MUE_SUIT_C_IMAGE_NOT_MATCH,   MUE_SUIT_ARG_CONDITION, MUE_SUIT_P1, 1 },
	{ MUE_SUIT_C_BATTERY,           MUE_SUIT_ARG_CONDITION, MUE_SUIT_P0, 1 },
	{ MUE_SUIT_C_AUTHORIZED,        MUE_SUIT_ARG_CONDITION, MUE_SUIT_P1, 1 },
	{ MUE_SUIT_C_VERSION,           MUE_SUIT_ARG_CONDITION, MUE_SUIT_P1, 1 },
	{ MUE_SUIT_D_WAIT,              MUE_SUIT_ARG_DIRECTIVE, MUE_SUIT_P1, 0 },
	{ MUE_SUIT_D_SWAP,              MUE_SUIT_ARG_DIRECTIVE, MUE_SUIT_P1, 0 },
	{ MUE_SUIT_D_RUN,               MUE_SUIT_ARG_RUN,       MUE_SUIT_P2, 1 },
	{ MUE_SUIT_D_UNLINK,            MUE_SUIT_ARG_DIRECTIVE, MUE_SUIT_P2, 0 },
	{ MUE_SUIT_D_OVERRIDE_MULTIPLE, MUE_SUIT_ARG_MULTIPLE,  MUE_SUIT_P2, 1 },
	{ MUE_SUIT_D_COPY_PARAMS,       MUE_SUIT_ARG_COPY,      MUE_SUIT_P2, 1 },
};
/* clang-format on */

int mue_suit_cmd_next(struct mue_cbor *c, struct mue_suit_cmd *ret)
{
	struct mue_cbor_item code;
	int r = mue_cbor_next(c, &code);

	if (r < 0)
		return r;
	if (code.type > MUE_CBOR_NINT)
		return MUE_EFORMAT;
	if (code.type == MUE_CBOR_NINT)
		return MUE_EPROFILE; /* custom commands: we have none */
	for (uint8_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].code != code.arg)
			continue;
		ret->code = rows[i].code;
		ret->kind = rows[i].kind;
		ret->profile = rows[i].profile;
		ret->shared = rows[i].shared;
		return mue_cbor_skip(c, &ret->arg);
	}
	return MUE_EPROFILE;
}

static int index_array(struct mue_cbor *c, size_t n, uint8_t components, uint32_t *ret)
{
	uint32_t mask = 0;
	uint64_t index;
	int r;

	if (n == 0)
		return MUE_EFORMAT;
	for (; n > 0; n--) {
		r = mue_cbor_uint(c, &index);
		if (r < 0)
			return r;
		/* Rising, so that a mask tells the order. */
		if (index >= components || mask >> index != 0)
			return MUE_EFORMAT;
		mask |= (uint32_t)1 << index;
	}
	*ret = mask;
	return mue_cbor_end(c);
}

int mue_suit_index(struct mue_view arg, uint8_t components, uint32_t *ret)
{
	struct mue_cbor c = mue_cbor_read(arg);
	struct mue_cbor_item item;
	int r = mue_cbor_next(&c, &item);

	if (r < 0)
		return r;
	if (item.type == MUE_CBOR_ARRAY)
		return index_array(&c, (size_t)item.arg, components, ret);
	if (item.type == MUE_CBOR_SIMPLE && item.arg == MUE_CBOR_TRUE) {
		*ret = ((uint32_t)1 << components) - 1;
		return 0;
	}
	if (item.type != MUE_CBOR_UINT || item.arg >= components)
		return MUE_EFORMAT;
	*ret = (uint32_t)1 << item.arg;
	return 0;
}

int mue_suit_sequence_open(struct mue_view content, struct mue_cbor *ret, size_t *ret_items)
{
	struct mue_cbor c = mue_cbor_read(content);
	size_t n;
	int r = mue_cbor_array(&c, &n);

	if (r < 0)
		return r;
	if (n == 0 || (n & 1) != 0) /* commands and arguments in turn */
		return MUE_EFORMAT;
	*ret = c;
	*ret_items = n;
	return 0;
}
