//! What Rust's standard library asks of a kernel: threads, channels, locks, maps, files, panics.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let sections: [(&str, fn()); 9] = [
        ("threads", threads),
        ("channels", channels),
        ("locks", locks),
        ("maps", maps),
        ("panics", panics),
        ("files", files),
        ("time", time),
        ("memory", memory),
        ("environment", environment),
    ];
    for (name, body) in sections {
        if wanted.is_empty() || wanted == name {
            println!("== {name}");
            body();
        }
    }
    match wanted.as_str() {
        "input" => input(),
        "panic" => panic!("left uncaught"),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(9),
        "overflow" => println!("{}", recurse(1)),
        _ => {}
    }
}

#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 {
    let frame = [depth; 512];
    // Read afterwards, so that the compiler keeps the frame and makes no loop of this.
    recurse(depth + 1) + unsafe { std::ptr::read_volatile(&frame[511]) }
}

fn threads() {
    let counter = Arc::new(AtomicU64::new(0));
    let handles: Vec<_> = (0..32u64)
        .map(|each| {
            let counter = Arc::clone(&counter);
            thread::Builder::new()
                .name(format!("worker-{each}"))
                .spawn(move || {
                    for step in 0..10_000 {
                        counter.fetch_add(step % 3, Ordering::Relaxed);
                    }
                    thread::current().name().map(str::len).unwrap_or(0) as u64 + each
                })
                .unwrap()
        })
        .collect();
    let sum: u64 = handles.into_iter().map(|handle| handle.join().unwrap()).sum();
    println!("sum {sum}, counter {}", counter.load(Ordering::SeqCst));
    let mut parts = vec![0u64; 8];
    thread::scope(|scope| {
        for (index, part) in parts.iter_mut().enumerate() {
            scope.spawn(move || *part = (0..=index as u64 * 1000).sum());
        }
    });
    println!("{parts:?}");
    println!("parallelism {}", thread::available_parallelism().is_ok());
}

fn channels() {
    let (sender, receiver) = mpsc::channel();
    for each in 0..10u64 {
        let sender = sender.clone();
        thread::spawn(move || {
            for step in 0..1000 {
                sender.send(each * 1000 + step).unwrap();
            }
        });
    }
    drop(sender);
    let all: Vec<u64> = receiver.iter().collect();
    println!("received {}, sum {}", all.len(), all.iter().sum::<u64>());

    let (sender, receiver) = mpsc::sync_channel(1);
    let producer = thread::spawn(move || (0..500).filter(|n| sender.send(*n).is_ok()).count());
    let taken: Vec<i32> = receiver.iter().take(100).collect();
    drop(receiver);
    println!("taken {}, producer stopped {}", taken.len(), producer.join().unwrap() < 500);
    let (_sender, receiver) = mpsc::channel::<()>();
    println!("{:?}", receiver.recv_timeout(Duration::from_millis(5)));
}

fn locks() {
    let pair = Arc::new((Mutex::new(0u32), Condvar::new()));
    let barrier = Arc::new(Barrier::new(8));
    let table = Arc::new(RwLock::new(vec![0u32; 8]));
    let handles: Vec<_> = (0..8)
        .map(|each| {
            let (pair, barrier, table) = (pair.clone(), barrier.clone(), table.clone());
            thread::spawn(move || {
                let leader = barrier.wait().is_leader();
                for _ in 0..500 {
                    table.write().unwrap()[each] += 1;
                    assert!(table.read().unwrap()[each] > 0);
                }
                *pair.0.lock().unwrap() += 1;
                pair.1.notify_one();
                leader
            })
        })
        .collect();
    let mut done = pair.0.lock().unwrap();
    while *done < 8 {
        done = pair.1.wait(done).unwrap();
    }
    drop(done);
    let leaders = handles.into_iter().filter_map(|handle| handle.join().ok()).filter(|l| *l).count();
    println!("leaders {leaders}, table {:?}", table.read().unwrap());
    let waited = pair.1.wait_timeout(pair.0.lock().unwrap(), Duration::from_millis(5)).unwrap();
    println!("timed out {}", waited.1.timed_out());
}

fn maps() {
    // HashMap seeds itself from getrandom.
    let mut counts: HashMap<String, u64> = HashMap::new();
    for each in 0..100_000u64 {
        *counts.entry(format!("key-{}", each * 7919 % 30_011)).or_default() += each;
    }
    let sorted: BTreeMap<_, _> = counts.iter().collect();
    let digest = sorted.iter().fold(0u64, |sum, (key, value)| {
        key.bytes().fold(sum, |s, b| s.wrapping_mul(31).wrapping_add(b as u64)).wrapping_add(**value)
    });
    println!("keys {}, digest {digest}", counts.len());
}

fn panics() {
    std::panic::set_hook(Box::new(|info| println!("hook: {}", info.location().unwrap().line() > 0)));
    let result = std::panic::catch_unwind(|| {
        let list: Vec<u32> = Vec::new();
        list[std::env::args().len() + 3]
    });
    println!("caught {}", result.is_err());
    let result = thread::spawn(|| -> u32 { panic!("in a thread") }).join();
    println!("{:?}", result.unwrap_err().downcast_ref::<&str>());
    let mutex = Arc::new(Mutex::new(1));
    let poisoner = Arc::clone(&mutex);
    let _ = thread::spawn(move || {
        let _guard = poisoner.lock();
        panic!("while locked");
    })
    .join();
    println!("poisoned {}", mutex.is_poisoned());
    let _ = std::panic::take_hook();
}

fn files() {
    fs::create_dir_all("files/a/b").unwrap();
    for each in 0..40 {
        fs::write(format!("files/a/{each:02}"), "x".repeat(each * 100)).unwrap();
    }
    fs::rename("files/a/07", "files/a/b/seven").unwrap();
    std::os::unix::fs::symlink("b/seven", "files/a/link").unwrap();
    fs::hard_link("files/a/08", "files/a/eight").unwrap();
    fs::copy("files/a/09", "files/a/nine").unwrap();
    let mut names: Vec<String> = fs::read_dir("files/a")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    println!("{names:?}");
    println!("link {:?} {}", fs::read_link("files/a/link").unwrap(), fs::metadata("files/a/link").unwrap().len());
    let mut file =
        fs::OpenOptions::new().read(true).write(true).create(true).open("files/log").unwrap();
    for each in 0..1000 {
        writeln!(file, "entry {each}").unwrap();
    }
    file.seek(SeekFrom::End(-10)).unwrap();
    let mut tail = String::new();
    file.read_to_string(&mut tail).unwrap();
    println!("{tail:?} {}", file.metadata().unwrap().len());
    file.set_len(7).unwrap();
    println!("{:?}", fs::read_to_string("files/log").unwrap());
    for error in [
        fs::File::open("files/absent").unwrap_err(),
        fs::create_dir("files/a").unwrap_err(),
        fs::remove_dir("files/a").unwrap_err(),
        fs::File::open("files/log/below").unwrap_err(),
    ] {
        println!("{error} / {:?}", error.kind());
    }
    fs::remove_dir_all("files").unwrap();
    println!("gone {}", fs::metadata("files").is_err());
}

fn time() {
    let start = Instant::now();
    thread::sleep(Duration::from_millis(15));
    println!("slept {}", start.elapsed() >= Duration::from_millis(15));
    let parked = thread::spawn(|| thread::park_timeout(Duration::from_millis(5)));
    parked.join().unwrap();
    println!("after 2020 {}", std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() > 1_577_836_800);
}

fn memory() {
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    for round in 0..200usize {
        blocks.push(vec![round as u8; 1 + round * 7919 % 300_000]);
        if round % 3 == 0 {
            blocks.swap_remove(round / 4);
        }
    }
    println!("sum {}", blocks.iter().map(|b| b.iter().map(|x| *x as u64).sum::<u64>()).sum::<u64>());
    let mut grown = Vec::new();
    for each in 0..5_000_000u32 {
        grown.push(each);
    }
    println!("grown {}", grown.iter().map(|x| *x as u64).sum::<u64>());
}

fn environment() {
    println!("{:?}", std::env::var("GREETING"));
    println!("{}", std::env::args().count());
}

fn input() {
    let mut lines = 0;
    let mut bytes = 0;
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        lines += 1;
        bytes += line.len();
    }
    println!("lines {lines}, bytes {bytes}");
}
