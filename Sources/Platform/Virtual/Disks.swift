import Platform
import Virtio

/// The machine's disks as the contract has them: bytes at any place, by way of a buffer that the
/// device reaches. One request of a disk is under way at a time; meanwhile the kernel runs other threads.
enum Disks {
    private struct Disk {
        var device: BlockDevice<Transport>
        let buffer: SharedMemory
        /// Of the request that ended last.
        var outcome: BlockOutcome?
        /// A request did not end: it may still write to the buffer, so nothing more is asked.
        var isStuck = false
    }

    nonisolated(unsafe) private static var disks =
        InlineArray<8, UnsafeMutablePointer<Disk>?>(repeating: nil)
    nonisolated(unsafe) private static var count = 0

    private static var bufferSize: Int { 256 << 10 }
    /// Nanoseconds after which a request is taken not to end.
    private static var patience: UInt64 { 30_000_000_000 }

    // Errors of the contract.
    private static var failed: Int64 { -5 }
    private static var badAddress: Int64 { -14 }
    private static var noDevice: Int64 { -19 }
    private static var notSupported: Int64 { -95 }

    /// The number of a new disk; nil when it cannot be used.
    static func start(_ transport: Transport) -> Int? {
        guard count < disks.count, let buffer = MachineMemory.reserveShared(bufferSize),
            let memory = MachineMemory.reserveShared(MemoryLayout<Disk>.size),
            let device = try? BlockDevice(transport, { MachineMemory.reserveShared($0) })
        else { return nil }
        let disk = memory.pointer.bindMemory(to: Disk.self, capacity: 1)
        disk.initialize(to: Disk(device: device, buffer: buffer))
        disks[count] = disk
        count += 1
        return count - 1
    }

    /// Who waits for the request takes its outcome.
    static func takeInterrupt(_ number: Int) {
        disks[number]?.pointee.device.acknowledgeInterrupt()
        cpu_set_pending(UInt32(CPU_PENDING_DISKS))
    }

    private static func disk(_ number: UInt32) -> UnsafeMutablePointer<Disk>? {
        number < UInt32(count) ? disks[Int(number)] : nil
    }

    // MARK: Operations of the contract

    static func describe(_ number: UInt32, _ description: UnsafeMutablePointer<platform_disk>)
        -> Int64
    {
        guard let disk = disk(number) else { return noDevice }
        let device = disk.pointee.device
        let size = device.capacity * UInt64(BlockDevice<Transport>.sectorSize)
        description.pointee = platform_disk(
            size: size & ~(UInt64(device.blockSize) - 1),
            block_size: UInt32(device.blockSize),
            is_read_only: device.isReadOnly ? 1 : 0,
            can_discard: device.discardLimit > 0 ? 1 : 0
        )
        return 0
    }

    static func read(
        _ number: UInt32,
        _ offset: UInt64,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        forEachPiece(number, offset, segments, count) { disk, piece, cursor in
            let answer = transfer(disk, .read, piece)
            guard answer >= 0 else { return answer }
            return cursor.give(disk.pointee.buffer.pointer + piece.head, piece.count)
                ? 0 : badAddress
        }
    }

    static func write(
        _ number: UInt32,
        _ offset: UInt64,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        forEachPiece(number, offset, segments, count) { disk, piece, cursor in
            if piece.isPartial {
                let answer = transfer(disk, .read, piece)
                guard answer >= 0 else { return answer }
            }
            guard cursor.take(disk.pointee.buffer.pointer + piece.head, piece.count) else {
                return badAddress
            }
            return transfer(disk, .write, piece)
        }
    }

    static func flush(_ number: UInt32) -> Int64 {
        guard let disk = disk(number) else { return noDevice }
        guard disk.pointee.device.hasFlush else { return 0 }
        return perform(disk) { $0.begin(.flush, sector: 0) }
    }

    static func discard(_ number: UInt32, _ offset: UInt64, _ length: UInt64) -> Int64 {
        guard let disk = disk(number) else { return noDevice }
        let limit = disk.pointee.device.discardLimit
        guard limit > 0 else { return notSupported }
        var sector = offset / UInt64(BlockDevice<Transport>.sectorSize)
        let end = sector + length / UInt64(BlockDevice<Transport>.sectorSize)
        while sector < end {
            let count = UInt32(min(end - sector, limit))
            let answer = perform(disk) { $0.begin(.discard, sector: sector, sectorCount: count) }
            guard answer >= 0 else { return answer }
            sector += UInt64(count)
        }
        return 0
    }

    // MARK: Pieces

    /// The blocks that one request moves, and what of them was asked for.
    private struct Piece {
        let start: UInt64
        let size: Int
        /// Bytes before those asked for, and their count.
        let head: Int
        let count: Int

        var isPartial: Bool { count < size }
    }

    /// Calls `body` with one piece after the other; bytes that passed, or the first piece's error.
    private static func forEachPiece(
        _ number: UInt32,
        _ offset: UInt64,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64,
        _ body: (UnsafeMutablePointer<Disk>, Piece, inout SegmentCursor) -> Int64
    ) -> Int64 {
        guard let disk = disk(number) else { return noDevice }
        let mask = disk.pointee.device.blockSize - 1
        var cursor = SegmentCursor(segments, Int(count))
        let total = cursor.total
        var done = 0
        while done < total {
            let place = offset + UInt64(done)
            let head = Int(place & UInt64(mask))
            let count = min(bufferSize - head, total - done)
            let piece = Piece(
                start: place - UInt64(head),
                size: (head + count + mask) & ~mask,
                head: head,
                count: count
            )
            let answer = body(disk, piece, &cursor)
            guard answer >= 0 else { return done > 0 ? Int64(done) : answer }
            done += count
        }
        return Int64(done)
    }

    private static func transfer(
        _ disk: UnsafeMutablePointer<Disk>,
        _ operation: BlockOperation,
        _ piece: Piece
    ) -> Int64 {
        let sector = piece.start / UInt64(BlockDevice<Transport>.sectorSize)
        let data = (address: disk.pointee.buffer.address, size: UInt32(piece.size))
        return perform(disk) { $0.begin(operation, sector: sector, data: data) }
    }

    /// Whether the request that is under way has ended, or never will.
    private static func hasEnded(_ disk: UnsafeMutablePointer<Disk>) -> Bool {
        do throws(QueueFault) {
            try disk.pointee.device.takeEnded { _, outcome in disk.pointee.outcome = outcome }
        } catch { disk.pointee.isStuck = true }
        return disk.pointee.outcome != nil || disk.pointee.isStuck
    }

    /// Makes a request and waits for its end.
    private static func perform(
        _ disk: UnsafeMutablePointer<Disk>,
        _ begin: (inout BlockDevice<Transport>) -> Int?
    ) -> Int64 {
        guard !disk.pointee.isStuck else { return failed }
        disk.pointee.outcome = nil
        guard begin(&disk.pointee.device) != nil else { return failed }
        let clock = PLATFORM_CLOCK_MONOTONIC.rawValue
        let end = MachineTime.readClock(clock) &+ patience
        while !hasEnded(disk) {
            guard MachineTime.readClock(clock) < end else {
                disk.pointee.isStuck = true
                break
            }
            kernel_wait_for_disk(end)
        }
        switch disk.pointee.outcome {
        case .done: return 0
        case .notSupported: return notSupported
        case .failed, nil: return failed
        }
    }
}

/// Goes along segments of memory that may be the program's.
private struct SegmentCursor {
    private var segment: UnsafePointer<platform_segment>
    private var segmentsLeft: Int
    private var used = 0
    /// Bytes of all segments.
    let total: Int

    init(_ segments: UnsafePointer<platform_segment>, _ count: Int) {
        segment = segments
        segmentsLeft = count
        total = (0..<count).reduce(0) { $0 + Int(segments[$1].length) }
    }

    mutating func give(_ source: UnsafeRawPointer, _ count: Int) -> Bool {
        move(count) { memory, done, part in user_copy(memory, source + done, part) == 0 }
    }

    mutating func take(_ target: UnsafeMutableRawPointer, _ count: Int) -> Bool {
        move(count) { memory, done, part in user_copy(target + done, memory, part) == 0 }
    }

    private mutating func move(
        _ count: Int,
        _ body: (UnsafeMutableRawPointer, Int, Int) -> Bool
    ) -> Bool {
        var done = 0
        while done < count, segmentsLeft > 0 {
            let part = min(count - done, Int(segment.pointee.length) - used)
            guard let base = segment.pointee.base, part > 0 else {
                segment += 1
                segmentsLeft -= 1
                used = 0
                continue
            }
            guard body(base + used, done, part) else { return false }
            used += part
            done += part
        }
        return done == count
    }
}
