"""The known data sets: their files, checksums, public sources and licences."""

from lineshaft.engine import Dataset

_DROPOUTNET = (
    "https://raw.githubusercontent.com/layer6ai-labs/DropoutNet/1b53a014ffa33878e831f6a2c5d890fd8a0b8624"
)
_CITE = "none stated; cite Wang, Chen and Li, IJCAI 2013"

CITEULIKE = Dataset(
    name="citeulike-a",
    folder="recommend/citeulike-a/dropoutnet_split/warm",
    files={
        "train.csv": "f5be735d7b4447e863ab21525eda13e25f23557a29ee0eacdf92e1ae6cc31f4d",
        "test.csv": "c2b80084348c4b971673d1cf4ce3f8e78d2c017802b3458f6e9f6bd00508e69d",
    },
    source="github.com/layer6ai-labs/DropoutNet, commit 1b53a01, eval/warm",
    licence="split: Apache-2.0; data: none stated, cite Wang, Chen and Li, IJCAI 2013",
    urls={name: f"{_DROPOUTNET}/eval/warm/{name}" for name in ("train.csv", "test.csv")},
)
CITEULIKE_COLD = Dataset(
    name="citeulike-a-cold",
    folder="recommend/citeulike-a/dropoutnet_split/cold",
    files={
        "train.csv": "313bbb9fcd127b1caaf21203015308502ef4d08af389222a12509c1553950d78",
        "test.csv": "e1f8f67d9d3ed12e4389a2145894d4fb12f95d9445d607d120e5d7176ef97fb4",
        "test_item_ids.csv": "ef7af432445a002a011bea59d7da251c4b723135b574ca531a66a4f60de5cec4",
    },
    source="github.com/layer6ai-labs/DropoutNet, commit 1b53a01, eval/cold",
    licence="split: Apache-2.0; data: none stated, cite Wang, Chen and Li, IJCAI 2013",
    urls={name: f"{_DROPOUTNET}/eval/cold/{name}" for name in ("train.csv", "test.csv", "test_item_ids.csv")},
)
CITEULIKE_ITEMS = Dataset(
    name="citeulike-a-items",
    folder="recommend/citeulike-a",
    files={
        "titles.txt": "bd4a62711f732185595348c06e6a5baa470e1ee4f61b981f13b25e1822d1e7ed",
        "citations.dat": "78458ba6b6f013552c43f47dbec1c2d19073820155c40567744cd8a038044364",
    },
    source="github.com/js05212/citeulike-a, citations.dat; github.com/ericproffitt/TopicModelsVB.jl, "
    "datasets/citeu/citeutitles.txt as titles.txt",
    licence=f"citations: {_CITE}; titles: MIT",
)
ANIMEULIKE = Dataset(
    name="animeulike",
    folder="recommend/animeulike",
    files={
        "ratings.tsv.gz": "19fadec64cf87e166019ba420e945d82b4b61c6b2b3d053ba949e95e99da82a7",
        "shows_rank_order.txt": "f0d600a377c38d34d150ded75553133c83bc74357e065ed8dd800fd75dd72894",
    },
    source="github.com/shiningsunnyday/animeulike, commit 4a45815: 10000_shows_to_process.txt, and "
    "10000_user_ratings.txt without its repeated lines and with other numbers for the users",
    licence="none stated; deposited as doi:10.7910/DVN/PT14ML; research and tests only",
)
ANIMEULIKE_ITEMS = Dataset(
    name="animeulike-items",
    folder="recommend/animeulike",
    files={
        "items.jsonl.gz": "f274851816fb8a402b468080db5eb27ef18edce29319602fb2b9e915293db218",
        "recs_author_text.jsonl.gz": "a6ae1992cd5d1feb9ccd478ea0f0700e5cb3ac99e355773ccf37ac7a59306ff8",
        "recs_graph_2022_notext.tsv.gz": "0ded764db4b5afde56d99984e7740a2a48436fdb5f2869f73137329c7192433a",
    },
    source="titles and genres: github.com/com-480-data-visualization/project-2023-vizmoica; synopses: "
    "github.com/Matthew1906/MyAnimeListScraper; graph: github.com/BloodyShrimp/Visualizing_Anime, in its "
    "history; written recommendations: github.com/shiningsunnyday/animeulike",
    licence="synopses MIT, others none stated; texts by users of MyAnimeList; research and tests only",
)
ALDI = Dataset(
    name="citeulike-a-aldi",
    folder="recommend/citeulike-a/aldi_split",
    files={
        "warm_emb.csv": "d79b02d3a3232321973b3a2f9f32dbf56ade7f9093c16f0da592aa3a0d7870f6",
        "warm_val.csv": "4835073fbf00edd4584723853f63414eb705af54805085ab28c88f930e32a29a",
        "warm_test.csv": "da03704c86b9b09d9fef8aecfbc5ac21f0d0ba01038d38137916b222e94c4e10",
        "cold_item_val.csv": "ee3516b2577856536ef43160dc79134e8ce9ef2bca4345af514b5ae888e3a164",
        "cold_item_test.csv": "c3a6975c1656af699de01bae28a7789fa9559b0a3d8b3b7611fc2c47619cef90",
    },
    source="github.com/zfnWong/ALDI, data/CiteULike",
    licence=_CITE,
)
DATASETS = [CITEULIKE, CITEULIKE_COLD, CITEULIKE_ITEMS, ANIMEULIKE, ANIMEULIKE_ITEMS, ALDI]
