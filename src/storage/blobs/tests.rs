//! Tests of the object store: an interrupted write leaves a whole object or none.

use tokio::io::AsyncReadExt;

use super::*;

const ACCOUNT: AccountId = AccountId(7);
const AT: Timestamp = Timestamp::from_ms(1_773_309_600_007);

async fn store() -> (tempfile::TempDir, Blobs) {
    let root = tempfile::tempdir().expect("a directory");
    let blobs = Blobs::open(root.path().to_owned()).await.expect("a store");
    blobs.create_account_dir(ACCOUNT);
    (root, blobs)
}

async fn put(blobs: &Blobs, key: &str, content: &'static [u8]) -> io::Result<BlobMeta> {
    let content = Bytes::from_static(content);
    let content_type = Some("image/png".to_owned());
    let put = blobs.put_bytes(ACCOUNT, "bizmori", key, content_type, AT, content);
    put.await
}

async fn content(blobs: &Blobs, key: &str) -> Option<Vec<u8>> {
    let opened = blobs.open_blob(ACCOUNT, "bizmori", key).await;
    let (blob, mut file) = opened.expect("a read")?;
    let mut content = vec![0; usize::try_from(blob.meta.bytes).expect("a small object")];
    file.read_exact(&mut content).await.expect("a read");
    Some(content)
}

fn files_in(dir: &Path) -> usize {
    std::fs::read_dir(dir).expect("a directory").count()
}

#[tokio::test]
async fn open_after_put_returns_what_was_written() {
    let (root, blobs) = store().await;
    let meta = put(&blobs, "../../a\0b/ü", b"hello")
        .await
        .expect("a write");
    let expected = BlobMeta {
        content_type: Some("image/png".to_owned()),
        headers: BTreeMap::new(),
        etag: "5d41402abc4b2a76b9719d911017c592".to_owned(),
        bytes: 5,
        modified_at: AT,
    };
    assert_eq!(meta, expected);
    let opened = blobs.open_blob(ACCOUNT, "bizmori", "../../a\0b/ü").await;
    let (blob, _) = opened.expect("a read").expect("an object");
    assert_eq!(blob.meta, expected);
    assert_eq!(
        content(&blobs, "../../a\0b/ü").await.as_deref(),
        Some(&b"hello"[..])
    );
    assert_eq!(files_in(&root.path().join("tmp")), 0);
    assert_eq!(content(&blobs, "other").await, None);
}

#[tokio::test]
async fn put_over_an_open_object_leaves_its_reader_alone() {
    let (_root, blobs) = store().await;
    put(&blobs, "k", b"first").await.expect("a write");
    let opened = blobs.open_blob(ACCOUNT, "bizmori", "k").await;
    let (first, mut file) = opened.expect("a read").expect("an object");
    put(&blobs, "k", b"second").await.expect("a write");
    assert_eq!(content(&blobs, "k").await.as_deref(), Some(&b"second"[..]));
    assert_eq!(files_in(first.path.parent().expect("a directory")), 1);
    let mut read = [0; 5];
    file.read_exact(&mut read).await.expect("a read");
    assert_eq!(&read, b"first");
}

#[tokio::test]
async fn open_file_after_replacement_reads_the_old_content() {
    use std::os::unix::fs::FileExt;

    let (_root, blobs) = store().await;
    put(&blobs, "k", b"the first").await.expect("a write");
    let opened = blobs.open_file(ACCOUNT, "bizmori", "k").await;
    let (file, bytes) = opened.expect("a read").expect("an object");
    assert_eq!(bytes, 9);
    let read = || {
        let mut read = [0; 5];
        file.read_exact_at(&mut read, 4).expect("a read");
        String::from_utf8(read.to_vec()).expect("text")
    };
    assert_eq!(read(), "first");
    put(&blobs, "k", b"2").await.expect("a write");
    assert_eq!(read(), "first");
    assert!(
        blobs
            .remove(ACCOUNT, "bizmori", "k")
            .await
            .expect("a removal")
    );
    assert_eq!(read(), "first");
    let removed = blobs.open_file(ACCOUNT, "bizmori", "k").await;
    assert!(removed.expect("a read").is_none());
}

#[tokio::test]
async fn open_deletes_unfinished_files_of_a_killed_process() {
    let (root, blobs) = store().await;
    put(&blobs, "k", b"first").await.expect("a write");
    std::fs::write(root.path().join("tmp/5"), "half").expect("an unfinished file");

    let blobs = Blobs::open(root.path().to_owned()).await.expect("a store");
    assert_eq!(files_in(&root.path().join("tmp")), 0);
    assert_eq!(content(&blobs, "k").await.as_deref(), Some(&b"first"[..]));
    let accounts = blobs.accounts().await.expect("a list");
    assert_eq!(accounts, [ACCOUNT]);
}

#[tokio::test]
async fn drop_of_an_unfinished_writer_leaves_nothing() {
    let (root, blobs) = store().await;
    let mut writer = blobs.writer(ACCOUNT);
    for piece in 0..=255_u8 {
        writer.write(&[piece; 5000]).await.expect("a write");
    }
    assert_eq!(files_in(&root.path().join("tmp")), 1);
    assert_eq!(writer.bytes(), 1_280_000);
    let finished = writer
        .finish(NewObject::new("bizmori", "k", None, AT))
        .await;
    assert_eq!(finished.expect("an object").bytes, 1_280_000);
    let read = content(&blobs, "k").await.expect("an object");
    let expected: Vec<u8> = (0..=255_u8).flat_map(|piece| [piece; 5000]).collect();
    assert_eq!(read, expected);

    let mut writer = blobs.writer(ACCOUNT);
    writer.write(&expected).await.expect("a write");
    drop(writer);
    assert_eq!(files_in(&root.path().join("tmp")), 0);
}

#[tokio::test]
async fn write_for_a_removed_account_fails_and_leaves_nothing() {
    let (root, blobs) = store().await;
    put(&blobs, "k", b"first").await.expect("a write");
    let mut writer = blobs.writer(ACCOUNT);
    writer.write(&vec![1; 300_000]).await.expect("a write");
    blobs.remove_account(ACCOUNT).await.expect("a removal");
    blobs.remove_account(ACCOUNT).await.expect("a second one");
    assert_eq!(content(&blobs, "k").await, None);
    let late = writer
        .finish(NewObject::new("bizmori", "k", None, AT))
        .await;
    assert_eq!(late.map_err(|e| e.kind()), Err(ErrorKind::NotFound));
    let late = put(&blobs, "k", b"late").await;
    assert_eq!(late.map_err(|e| e.kind()), Err(ErrorKind::NotFound));
    assert_eq!(files_in(&root.path().join("tmp")), 0);
    assert_eq!(files_in(&root.path().join("blobs")), 0);
}

#[tokio::test]
async fn remove_all_accounts_keeps_writes_without_account_possible() {
    let (root, blobs) = store().await;
    put(&blobs, "k", b"first").await.expect("a write");
    let mut writer = blobs.writer(ACCOUNT);
    writer.write(&vec![1; 300_000]).await.expect("a write");
    blobs.remove_all().await.expect("a removal");
    assert_eq!(content(&blobs, "k").await, None);
    let late = writer
        .finish(NewObject::new("bizmori", "k", None, AT))
        .await;
    assert_eq!(late.map_err(|e| e.kind()), Err(ErrorKind::NotFound));
    assert_eq!(files_in(&root.path().join("blobs")), 0);
    let text = Bytes::from_static(b"x");
    let unowned = blobs.put_bytes(AccountId::UNOWNED, "bizmori", "k", None, AT, text);
    unowned.await.expect("a write");
    blobs.create_account_dir(ACCOUNT);
    put(&blobs, "k", b"again").await.expect("a write");
    assert_eq!(files_in(&root.path().join("blobs")), 2);
}

#[tokio::test]
async fn open_after_an_interrupted_removal_deletes_the_rest() {
    let root = tempfile::tempdir().expect("a directory");
    let left = root.path().join("tmp").join("removed-3").join("7");
    std::fs::create_dir_all(&left).expect("a directory");
    std::fs::write(left.join("object"), "x").expect("a file");
    std::fs::write(root.path().join("tmp").join("5"), "x").expect("a file");
    let blobs = Blobs::open(root.path().to_owned()).await.expect("a store");
    blobs.create_account_dir(ACCOUNT);
    put(&blobs, "k", b"first").await.expect("a write");
    blobs.remove_account(ACCOUNT).await.expect("a removal");
    let swept = async {
        while files_in(&root.path().join("tmp")) > 0 {
            tokio::task::yield_now().await;
        }
    };
    let swept = tokio::time::timeout(std::time::Duration::from_secs(30), swept).await;
    assert!(swept.is_ok(), "what is left is deleted in the background");
}

#[tokio::test]
async fn remove_under_the_other_bucket_name_removes_the_object() {
    let (_root, blobs) = store().await;
    let text = Bytes::from_static(b"x");
    let dev = "ai-image-detector-dev";
    let prod = "ai-image-detector-prod";
    let put = blobs.put_bytes(ACCOUNT, dev, "uploads/k", None, AT, text);
    put.await.expect("a write");
    assert!(
        blobs
            .find(ACCOUNT, prod, "uploads/k")
            .await
            .is_ok_and(|it| it.is_some())
    );
    assert!(
        blobs
            .remove(ACCOUNT, prod, "uploads/k")
            .await
            .expect("a removal")
    );
    assert!(
        !blobs
            .remove(ACCOUNT, dev, "uploads/k")
            .await
            .expect("a read")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writes_and_reads_see_whole_objects() {
    let (_root, blobs) = store().await;
    put(&blobs, "k", b"00000000").await.expect("a write");
    let mut tasks = tokio::task::JoinSet::new();
    for digit in b'1'..=b'4' {
        let blobs = blobs.clone();
        tasks.spawn(async move {
            for _ in 0..50 {
                let text = Bytes::from(vec![digit; 8]);
                let put = blobs.put_bytes(ACCOUNT, "bizmori", "k", None, AT, text);
                put.await.expect("a write");
                let opened = blobs.open_blob(ACCOUNT, "bizmori", "k").await;
                let (blob, _file) = opened.expect("a read").expect("an object");
                assert_eq!(blob.meta.bytes, 8);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("a task");
    }
    let object = blobs.find(ACCOUNT, "bizmori", "k").await.expect("a read");
    let dir = object.expect("an object").path;
    assert_eq!(files_in(dir.parent().expect("a directory")), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn finish_if_of_concurrent_writers_lets_one_succeed() {
    let (root, blobs) = store().await;
    let is_absent = |current: Option<&BlobMeta>| current.map_or(Ok(()), |_| Err("exists"));
    let mut tasks = tokio::task::JoinSet::new();
    for byte in 0..16_u8 {
        let mut writer = blobs.writer(ACCOUNT);
        writer.write(&[byte; 9]).await.expect("a write");
        tasks.spawn(async move {
            let object = NewObject::new("bizmori", "k", None, AT);
            (byte, writer.finish_if(object, Some(is_absent)).await)
        });
    }
    let finished = tasks.join_all().await;
    let mut created = finished.iter().filter(|(_, result)| result.is_ok());
    let (byte, _) = created.next().expect("a created file");
    assert!(created.next().is_none(), "{finished:?}");
    assert_eq!(content(&blobs, "k").await, Some(vec![*byte; 9]));
    assert_eq!(files_in(&root.path().join("tmp")), 0);
}
