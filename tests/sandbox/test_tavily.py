import pytest

KEY = {"Authorization": "Bearer tvly-key"}


@pytest.fixture
def ask(vendors):
    def send(query, key=KEY, **body):
        return vendors.http.post(
            f"{vendors.url}/api.tavily.com/search", json={"query": query, **body}, headers=key
        )

    return send


def test_a_search_answers_in_tavily_s_shape(ask):
    reply = ask("최신 재활용 정책 뉴스").json()
    assert {"query", "answer", "images", "results", "response_time", "request_id"} <= set(reply)
    first = reply["results"][0]
    assert set(first) == {"title", "url", "content", "score", "raw_content"}
    assert "[예시]" in first["title"]
    assert "예시" in first["content"]
    scores = [one["score"] for one in reply["results"]]
    assert scores == sorted(scores, reverse=True)


def test_english_finds_english(ask):
    assert ask("latest recycling policy news in Korea").json()["results"][0]["title"].startswith("[Sample]")


def test_what_no_document_speaks_of_is_not_found(ask):
    assert ask("양자역학 방정식 풀이").json()["results"] == []


@pytest.mark.parametrize("most", [0, 1, 3])
def test_there_are_no_more_results_than_asked_for(ask, most):
    assert len(ask("재활용 정책 뉴스 소식", max_results=most).json()["results"]) == most


def test_options_change_what_is_told(ask):
    reply = ask(
        "재활용 정책 뉴스", topic="news", include_answer=True, include_raw_content=True, include_usage=True
    ).json()
    assert reply["answer"]
    assert reply["usage"] == {"credits": 1}
    assert all(one["published_date"] and one["raw_content"] for one in reply["results"])
    assert ask("재활용 정책", search_depth="advanced", include_usage=True).json()["usage"] == {"credits": 2}


def test_domains_and_days_narrow_the_search(ask):
    def hosts(**options):
        found = ask("재활용 정책 뉴스 소식", max_results=20, **options).json()["results"]
        return {one["url"].split("/")[2] for one in found}

    assert hosts(include_domains=["example.com"]) == {"news.example.com"}
    assert "news.example.com" not in hosts(exclude_domains=["example.com"])
    recent = ask("재활용 정책 뉴스 소식", topic="news", days=3).json()["results"]
    assert 0 < len(recent) < len(ask("재활용 정책 뉴스 소식", topic="news").json()["results"])
    # Days count for news only.
    whole = ask("재활용 정책 뉴스 소식").json()["results"]
    assert ask("재활용 정책 뉴스 소식", days=3).json()["results"] == whole


@pytest.mark.parametrize("key", [{}, {"Authorization": "Bearer wrong-key"}, {"Authorization": "Basic tvly"}])
def test_without_the_right_key_nothing_is_searched(ask, key):
    reply = ask("뉴스", key=key)
    assert (reply.status_code, set(reply.json()["detail"])) == (401, {"error"})


@pytest.mark.parametrize("wrong", [{"max_results": 21}, {"topic": "sport"}, {"search_depth": "deep"}])
def test_a_malformed_body_is_refused(ask, wrong):
    assert ask("뉴스", **wrong).status_code == 400
    assert ask("").status_code == 400


@pytest.mark.parametrize("status", [403, 429, 432, 433, 500])
def test_limits_of_a_plan_can_be_asked_for(vendors, ask, status):
    vendors.behave("tavily", fail={"status": status})
    reply = ask("뉴스")
    assert (reply.status_code, list(reply.json()["detail"])) == (status, ["error"])


def test_results_can_be_hostile(vendors, ask):
    vendors.behave("tavily", hostile=True)
    content = ask("재활용 정책 뉴스").json()["results"][0]["content"]
    assert "<script>" in content
    assert "Ignore all previous instructions" in content
