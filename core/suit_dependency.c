#include "core/mem.h"
#include "core/suit_command.h"

int mue_suit_dependency_open(const struct mue_suit *s, const struct mue_suit_params *p,
			     struct mue_view envelope, struct mue_suit *ret)
{
	struct mue_suit dependency;
	int r;

	if (p->digest.len != MUE_SUIT_DIGEST_SIZE)
		return MUE_ECONDITION;
	r = mue_suit_open(envelope, (enum mue_suit_profile)s->profile, &dependency);
	if (r < 0)
		return r;
	/* The digest is the manifest's, so that severing and signing again leave it. */
	if (memcmp(dependency.digest, p->digest.data, MUE_SUIT_DIGEST_SIZE) != 0)
		return MUE_EDIGEST;
	if (dependency.dependency_mask != 0)
		return MUE_EPROFILE;
	*ret = dependency;
	return 0;
}

/* The dependent's component with that id; its component_count: none. */
static int find(const struct mue_suit *s, struct mue_view id, uint8_t *ret)
{
	struct mue_view own;

	for (*ret = 0; *ret < s->component_count; ++*ret) {
		int r = mue_suit_id_bytes(s, *ret, &own);

		if (r < 0)
			return r;
		if (mue_view_equal(own, id))
			return 0;
	}
	return 0;
}

int mue_suit_dependency_params(const struct mue_suit *s, const struct mue_suit_params *params,
			       const struct mue_suit *dependency, struct mue_suit_params *ret,
			       uint8_t ret_count)
{
	if (ret_count < dependency->component_count)
		return MUE_ENOSPC;
	memset(ret, 0, dependency->component_count * sizeof(*ret));
	for (uint8_t i = 0; i < dependency->component_count; i++) {
		struct mue_view id;
		uint8_t from = 0;
		int r = mue_suit_id_bytes(dependency, i, &id);

		if (r == 0)
			r = find(s, id, &from);
		if (r < 0)
			return r;
		if (from == s->component_count)
			continue;
		ret[i] = params[from];
		ret[i].has_source = false; /* an index of the dependent's means nothing here */
	}
	return 0;
}
