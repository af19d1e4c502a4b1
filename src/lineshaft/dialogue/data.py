"""Public corpora the dialogue system reads, with checksums."""

from lineshaft.engine import Dataset

WOZ2 = Dataset(
    name="woz2",
    folder="dialogue/woz2",
    files={
        "mt_apertium_it_en.json.xz": "19f917ed35859a848a7d66508159d6d2d163d4df44a79802d9c949685aa57c9f",
        "ontology_dstc2_en.json": "7b8bed8b0b3d32934984c2fe4efff76ba23799f41bd968a55fbb9169a38fc6ae",
        "woz_train_it_en.json.xz": "09f2de5e652b1e55815050c7c101dfe8a6c56cb4eaaee6c5764d46391aee10f2",
        "woz_train_en.json.xz": "fde638fbeb2a84fbb27f3536875030019f3ed866942559c8802b4990216c57fa",
        "woz_validate_en.json.xz": "c3c662df0160576317121d4a5462a06b782cfe279c3ebbc25606c1261c4a4683",
        "woz_test_en.json.xz": "07f7ddb4656aad6df5b850ce60d4259cb142971beafa6a7629af3cd3a4e9ee48",
    },
    source=(
        "github.com/nmrksic/neural-belief-tracker, commit 63b5933d: data/woz, ontologies (compressed by xz); "
        "mt_apertium_it_en: the Italian user turns through Apertium it-es-en"
    ),
    licence="Apache-2.0",
)
XRISAWOZ = Dataset(
    name="xrisawoz",
    folder="dialogue/xrisawoz",
    files={
        "valid/dst_zh.json.xz": "40e17e296b3cccaca16406cb28a24dde4855b7a04666525dfaddf15d85e46f62",
        "mt/zh_valid_user_mt_en.json.xz": "e733ff36706b6668fb4ea55ab2884fb42eae132ef6367913d6d708d6b2a41ffd",
        "fewshot_processed/en_fewshot.json.xz": "be31a83cd36dd71c5769c8870b1184ef138a4586e46fa93d6fafe7c7e23a9875",  # noqa: E501
        "test_dev/dst_en_mod4_012.json.xz": "a8b962b18c7597d6a60d56002b5e801a5a0e607851b56f0cad06821139908528",  # noqa: E501
        "mappings.tar.xz": "9e77a52a6904b4c861356d923e170fc797f851501c23a8f7fa20341a42f47720",
    },
    source=(
        "github.com/stanford-oval/dialogues, commit a2d31784 (mappings), and its subtask files in "
        "github.com/alee2022/llm-xrisawoz, commit 025fb949 (few-shot, validation, test); "
        "mt: a phrase-based translation of the Chinese user turns"
    ),
    licence="treat as CC BY-NC 4.0, research use, attribution (RiSAWOZ)",
)
XRISAWOZ_DEV = Dataset(
    name="xrisawoz-dev",
    folder="dialogue/xrisawoz",
    files={
        "valid/dst_en.json.xz": "66c37ac5134f93f6ccbcb9726a873c22a14c2816be797ff1b3d9e5dadc7e9e29",
    },
    source="github.com/alee2022/llm-xrisawoz, commit 025fb949: val (the English validation dialogues)",
    licence="treat as CC BY-NC 4.0, research use, attribution (RiSAWOZ)",
)
CROSSWOZ = Dataset(
    name="crosswoz",
    folder="dialogue/crosswoz",
    files={
        "crosswoz_en_human_val.json.zip": "95a41987c70962ca9885bd450e07e6bb7a90fc63a6750de007bdb916e0e11336",
        "crosswoz_en_val.json.zip": "ce6cd7b25af9d40d48f68d3201857a9da477a0809972ec74fff0ab3bcb54e78b",
        "crosswoz_en_test.json.zip": "660dd35fe2a2be149efda9b622bb3d4ddf6cbdae9ddaf00723b007c9736911fe",
    },
    source="github.com/thu-coai/ConvLab-2, commit b014b81f: data/crosswoz_en (translated by Google)",
    licence="Apache-2.0",
)
MULTIWOZ = Dataset(
    name="multiwoz",
    folder="dialogue/multiwoz21",
    files={
        "multiwoz_zh_human_val.json.zip": "a0766b5741e05818a869dbb5ec8a25c68c448020ca08528258cd9d0f94eb2ab0",
        "multiwoz_zh_val.json.zip": "e2f081b41a4afccac114b4027a0922090a9599781132fd7b02acb21493589587",
    },
    source="github.com/thu-coai/ConvLab-2, commit b014b81f: data/multiwoz_zh (translated by Google)",
    licence="MIT (MultiWOZ), Apache-2.0 (translations)",
)
XRISAWOZ_LLM = Dataset(
    name="xrisawoz-llm",
    folder="dialogue/xrisawoz",
    files={
        "test_dev/llm_predictions_dst_en_mod4_012.json.xz": "33937d935a666d39275b3d99ec432af3c08beec067aa8aa9d9c654de21f65b3c",  # noqa: E501
    },
    source="github.com/alee2022/llm-xrisawoz, commit 025fb949: test_results (output of a language model)",
    licence="none stated: research use, not to be passed on",
)
DATASETS = [WOZ2, XRISAWOZ, XRISAWOZ_DEV, CROSSWOZ, MULTIWOZ, XRISAWOZ_LLM]
