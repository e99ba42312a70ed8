import Glibc
import Platform

/// A disk of the fake machine: its contents in memory, and errors when told.
public struct FakeDisk {
    public var contents: [UInt8]
    public var description: platform_disk
    /// What every operation answers; zero to do it.
    public var error: Int64 = 0
    public var flushes = 0
    public var discarded: Range<UInt64>?

    public init(_ contents: [UInt8], isReadOnly: Bool = false) {
        self.contents = contents
        description = platform_disk(
            size: UInt64(contents.count),
            block_size: 512,
            is_read_only: isReadOnly ? 1 : 0,
            can_discard: 1
        )
    }
}

func fakeDiskRead(
    _ number: UInt32,
    _ offset: UInt64,
    _ segments: UnsafePointer<platform_segment>,
    _ count: UInt64
) -> Int64 {
    let disk = FakePlatform.disks[Int(number)]
    guard disk.error == 0 else { return disk.error }
    var place = Int(offset)
    for index in 0..<Int(count) {
        let length = Int(segments[index].length)
        disk.contents[place..<place + length].withUnsafeBytes {
            segments[index].base?.copyMemory(from: $0.baseAddress!, byteCount: length)
        }
        place += length
    }
    return Int64(place) - Int64(offset)
}

func fakeDiskWrite(
    _ number: UInt32,
    _ offset: UInt64,
    _ segments: UnsafePointer<platform_segment>,
    _ count: UInt64
) -> Int64 {
    let error = FakePlatform.disks[Int(number)].error
    guard error == 0 else { return error }
    var place = Int(offset)
    for index in 0..<Int(count) {
        let bytes = UnsafeRawBufferPointer(
            start: segments[index].base,
            count: Int(segments[index].length)
        )
        FakePlatform.disks[Int(number)].contents.replaceSubrange(
            place..<place + bytes.count,
            with: bytes
        )
        place += bytes.count
    }
    return Int64(place) - Int64(offset)
}
