"""Request lines: what may stand in them, and that no value leads out of its folder."""

from decimal import Decimal

import pytest

from agent.definitions.expressions import MISSING, ExpressionError, PathTemplate, UnsafePath, lookup


def render(source, **context):
    return PathTemplate(source).render(context)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "source",
        [
            "https://evil.example/x",
            "HTTP:/x",
            "//evil.example/x",
            "x/y",
            "",
            "/a//b",
            "/../x",
            "/a/..",
            "/a/./b",
            "/a/%2e%2e/b",
            "/a/%2E/b",
            "/a\\..\\b",
            "/a#b",
            "/a b",
            "/ä",
            "/a%zz",
            "/{a",
            "/a}",
            "/{}",
            "/{a b}",
            "/{{name}}",
            "/{a|b}",
            "/x?=1",
            "/x?a",
            "/x?{a}=1",
            "/x?a=b c",
        ],
    )
    def test_a_line_that_is_no_path_below_the_origin_is_refused(self, source):
        with pytest.raises(ExpressionError):
            PathTemplate(source)

    def test_two_braces_are_explained(self):
        with pytest.raises(ExpressionError, match="no text template"):
            PathTemplate("/{{name}}")


class TestPaths:
    def test_a_word_is_percent_encoded_with_its_slashes(self):
        assert render("/a/{name}", name="x/y ä?#%") == ("/a/x%2Fy%20%C3%A4%3F%23%25", ())

    def test_literal_escapes_stay(self):
        assert render("/projects/{namespace}%2F{name}", namespace="g/s", name="p") == ("/projects/g%2Fs%2Fp", ())

    @pytest.mark.parametrize(
        "value", ["", ".", "..", "a/../b", "..\\x", "x/..", None, MISSING, [1], {"a": 1}, "\ud800"]
    )
    def test_a_word_that_leads_out_of_its_folder_is_refused(self, value):
        with pytest.raises(UnsafePath) as caught:
            render("/accounts/{name}", name=value)
        assert caught.value.word == "name"
        assert caught.value.value == value

    @pytest.mark.parametrize("value", ["...", "a..b", ".hidden", "a.", "0"])
    def test_dots_inside_a_name_are_harmless(self, value):
        assert render("/accounts/{name}", name=value) == (f"/accounts/{value}", ())

    def test_words_that_join_to_dots_are_refused(self):
        with pytest.raises(UnsafePath):
            render("/a/.{name}", name=".")
        with pytest.raises(UnsafePath, match="leads out"):
            PathTemplate("/a/%2e{a}").render({"a": "."})

    def test_scalars_are_written_as_json_writes_them(self):
        assert render("/a/{n}", n=7)[0] == "/a/7"
        assert render("/a/{n}", n=True)[0] == "/a/true"
        assert render("/a/{n}", n=Decimal("1.10"))[0] == "/a/1.10"

    def test_a_missing_word_of_a_path_is_refused(self):
        with pytest.raises(UnsafePath, match="has no value"):
            render("/a/{b.c}", b={})


class TestQueries:
    def test_pairs_are_not_yet_encoded(self):
        path, pairs = render("/m?period[duration]={args.d}&q=a%20b&e=", args={"d": "x&y"})
        assert (path, pairs) == ("/m", (("period[duration]", "x&y"), ("q", "a b"), ("e", "")))

    def test_a_null_or_missing_word_drops_its_parameter(self):
        assert render("/m?a={a}&b={b}&c=1", a=None) == ("/m", (("c", "1"),))
        assert render("/m?a=x-{a}", a=None) == ("/m", ())

    def test_a_list_repeats_its_parameter(self):
        assert render("/m?a={a}", a=["x", 2]) == ("/m", (("a", "x"), ("a", "2")))
        assert render("/m?a={a}", a=[]) == ("/m", ())

    def test_an_empty_text_is_kept(self):
        assert render("/m?a={a}", a="") == ("/m", (("a", ""),))

    def test_text_and_words_join(self):
        assert render("/m?a={x}:{y}!", x=1, y=False) == ("/m", (("a", "1:false!"),))

    def test_a_map_is_refused(self):
        with pytest.raises(UnsafePath):
            render("/m?a={a}", a={"b": 1})

    def test_words_are_told_by_where_they_stand(self):
        template = PathTemplate("/r/{with.type}/{name}?workspace={workspace}")
        assert template.words == ("with.type", "name", "workspace")
        assert template.path_words == ("with.type", "name")
        assert template.query_words == ("workspace",)


class TestLookup:
    def test_missing_and_null_are_told_apart(self):
        assert lookup({"a": {"b": None}}, "a.b") is None
        assert lookup({"a": {}}, "a.b") is MISSING
        assert lookup({}, "a") is MISSING
        assert lookup({"a": "text"}, "a.b") is MISSING

    def test_a_parent_is_its_name_and_has_the_members_of_its_live_object(self):
        context = {"workspace": "analytics", "parents": {"workspace": {"id": 7, "owner": {"name": "x"}}}}
        assert lookup(context, "workspace") == "analytics"
        assert lookup(context, "workspace.id") == 7
        assert lookup(context, "workspace.owner.name") == "x"
        assert lookup(context, "workspace.nothing") is MISSING

    def test_a_dotted_member_of_the_context_wins(self):
        assert lookup({"workspace": "a", "workspace.id": 7}, "workspace.id") == 7
