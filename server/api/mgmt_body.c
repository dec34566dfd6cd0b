/* Reading the properties of a body, with errors that name the property. */
#include "server/api/mgmt.h"

#include <inttypes.h>
#include <string.h>

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < 0x20 && !strchr("\n\t\r", *text)) || *text == 0x7f)
			return true;
	return false;
}

int mgmt_text(const json_t *object, const char *name, size_t max, bool required, const char **ret,
	      struct mue_error *e)
{
	const json_t *value = json_object_get(object, name);
	const char *text;

	if (!value || json_is_null(value))
		return required ? mue_fail(e, MUE_EINVAL, "property \"%s\" is missing", name) : 0;
	text = json_string_value(value);
	if (!text)
		return mue_fail(e, MUE_EINVAL, "property \"%s\" must be text", name);
	if (required && !text[strspn(text, " \t")])
		return mue_fail(e, MUE_EINVAL, "property \"%s\" is empty", name);
	if (json_string_length(value) > max)
		return mue_fail(e, MUE_EINVAL, "property \"%s\" is longer than %zu bytes", name,
				max);
	if (strlen(text) != json_string_length(value))
		return mue_fail(e, MUE_EINVAL, "property \"%s\" holds a NUL", name);
	if (has_control(text))
		return mue_fail(e, MUE_EINVAL, "property \"%s\" holds a control character", name);
	*ret = text;
	return 0;
}

int mgmt_int(const json_t *object, const char *name, int64_t min, int64_t max, bool required,
	     int64_t *ret, struct mue_error *e)
{
	const json_t *value = json_object_get(object, name);
	json_int_t n;

	if (!value || json_is_null(value))
		return required ? mue_fail(e, MUE_EINVAL, "property \"%s\" is missing", name) : 0;
	if (!json_is_integer(value))
		return mue_fail(e, MUE_EINVAL, "property \"%s\" must be a whole number", name);
	n = json_integer_value(value);
	if (n < min || n > max)
		return mue_fail(e, MUE_EINVAL,
				"property \"%s\" must be between %" PRId64 " and %" PRId64, name,
				min, max);
	*ret = n;
	return 0;
}

int mgmt_bool(const json_t *object, const char *name, bool *ret, struct mue_error *e)
{
	const json_t *value = json_object_get(object, name);

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_boolean(value))
		return mue_fail(e, MUE_EINVAL, "property \"%s\" must be true or false", name);
	*ret = json_is_true(value);
	return 0;
}

int mgmt_item(const json_t *body, size_t i, const json_t **ret, struct mue_error *e)
{
	const json_t *item = NULL;

	if (json_is_array(body))
		item = json_array_get(body, i);
	else if (i == 0)
		item = body;
	else
		item = NULL;
	if (item && !json_is_object(item))
		return mue_fail(e, MUE_EINVAL, "element %zu of the body is not an object", i);
	*ret = item;
	return 0;
}
