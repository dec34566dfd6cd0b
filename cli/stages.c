#include "cli/stages.h"

#include "cli/opt.h"

#include <string.h>

static int parse_one(const char *s, struct mue_stage *ret, struct mue_error *e)
{
	size_t n = strlen(s);
	struct mue_stage st = { .kind = MUE_STAGE_TAG };
	char digits[65];
	uint64_t v = 0;

	if (n == 0 || n >= sizeof(st.text))
		return mue_fail(e, MUE_EINVAL,
				"--stages: a stage is empty or longer than 64 bytes");
	memcpy(st.text, s, n + 1);
	memcpy(digits, s, n + 1);
	if (digits[n - 1] == '%') {
		digits[n - 1] = 0;
		if (mue_opt_number(digits, 1, 100, &v) < 0)
			return mue_fail(e, MUE_EINVAL,
					"--stages: \"%s\" is not a percentage from 1%% to 100%%",
					s);
		st.kind = MUE_STAGE_PERCENT;
	} else if (s[0] >= '0' && s[0] <= '9') {
		if (mue_opt_number(digits, 1, UINT32_MAX, &v) < 0)
			return mue_fail(e, MUE_EINVAL,
					"--stages: \"%s\" is neither a number of devices nor a "
					"percentage",
					s);
		st.kind = MUE_STAGE_COUNT;
	} else if (strpbrk(s, "\"\\;()=!<> ")) {
		return mue_fail(e, MUE_EINVAL, "--stages: \"%s\" is no tag", s);
	}
	st.value = (uint32_t)v;
	*ret = st;
	return MUE_OK;
}

int mue_stages_parse(const char *text, struct mue_stages *ret, struct mue_error *e)
{
	struct mue_stages s = { .n = 0 };

	for (const char *at = text;; at++) {
		size_t len = strcspn(at, ",");
		char part[80];
		int r;

		if (s.n == MUE_STAGES_MAX)
			return mue_fail(e, MUE_EINVAL, "--stages: more than %d", MUE_STAGES_MAX);
		snprintf(part, sizeof(part), "%.*s", len > 79 ? 79 : (int)len, at);
		r = parse_one(part, &s.v[s.n], e);
		if (r < 0)
			return r;
		s.n++;
		at += len;
		if (!*at)
			break;
		if (s.v[s.n - 1].kind == MUE_STAGE_PERCENT && s.v[s.n - 1].value == 100)
			return mue_fail(e, MUE_EINVAL, "--stages: after 100%% nobody is left");
	}
	if (s.v[s.n - 1].kind != MUE_STAGE_PERCENT || s.v[s.n - 1].value != 100)
		return mue_fail(e, MUE_EINVAL,
				"--stages: the last one is 100%%, or devices would be "
				"left out; to leave some out use --filter");
	*ret = s;
	return MUE_OK;
}

static json_t *condition(uint32_t percent)
{
	return json_pack("{s:s, s:o}", "condition", "THRESHOLD", "expression",
			 json_sprintf("%u", percent));
}

void mue_gates_set(json_t *o, const struct mue_gates *g)
{
	json_object_set_new(o, "successCondition", condition(g->success));
	json_object_set_new(o, "successAction",
			    json_pack("{s:s, s:s}", "action", "NEXTGROUP", "expression", ""));
	json_object_set_new(o, "errorCondition", condition(g->error));
	json_object_set_new(o, "errorAction",
			    json_pack("{s:s, s:s}", "action", g->action, "expression", ""));
}

json_t *mue_stages_groups(const struct mue_stages *s, const struct mue_gates *g)
{
	json_t *groups = json_array();

	for (size_t i = 0; groups && i < s->n; i++) {
		const struct mue_stage *st = &s->v[i];
		uint32_t percent = st->kind == MUE_STAGE_PERCENT ? st->value : 100;
		json_t *group = json_object();

		json_object_set_new(group, "name", json_sprintf("%zu: %s", i + 1, st->text));
		json_object_set_new(group, "targetPercentage", json_integer(percent));
		if (st->kind == MUE_STAGE_TAG)
			json_object_set_new(group, "targetFilterQuery",
					    json_sprintf("tag==\"%s\"", st->text));
		if (st->kind == MUE_STAGE_COUNT)
			json_object_set_new(group, "targetCount", json_integer(st->value));
		mue_gates_set(group, g);
		json_array_append_new(groups, group);
	}
	return groups;
}
