import Glibc
import Platform

/// The operations, on the test process's own memory and descriptors.
func fakeOperations() -> platform_operations {
    platform_operations(
        read_clock: { _ in FakePlatform.time },
        set_timer: { FakePlatform.timerDeadline = $0 },
        map_anonymous: { start, length, protection in
            fakeMap(start, length, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        },
        map_memory: { start, length, offset, protection, isShared in
            fakeMap(
                start,
                length,
                protection,
                isShared != 0 ? MAP_SHARED : MAP_PRIVATE,
                FakePlatform.memoryDescriptor,
                offset
            )
        },
        map_image: { start, length, image, offset, protection in
            guard let image = FakePlatform.images[image] else { return Int64(-EBADF) }
            return fakeMap(start, length, protection, MAP_PRIVATE, image.descriptor, offset)
        },
        unmap: { start, length in
            fakeMap(start, length, 0, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        },
        protect: { start, length, protection in
            FakePlatform.mappingCalls += 1
            return answer(mprotect(pointer(start), Int(length), Int32(protection)))
        },
        move: fakeMove,
        discard: { start, length in
            FakePlatform.mappingCalls += 1
            return answer(madvise(pointer(start), Int(length), MADV_DONTNEED))
        },
        resident: { start, length, pages in answer(mincore(pointer(start), Int(length), pages)) },
        resident_size: { Int64(-ENOSYS) },
        largest_resident_size: { Int64(-ENOSYS) },
        // All of them show the test process's memory.
        space_copy: fakeSpace,
        space_create: fakeSpace,
        space_switch: { space, save, load in
            FakePlatform.activeSpace = space
            FakePlatform.enterSpace()
            if load != UnsafePointer(save) { context_switch(save, load.pointee) }
        },
        space_release: { _ = FakePlatform.spaces.remove($0) },
        space_trim: {},
        release_memory: { offset, length in
            FakePlatform.releasedBytes += length
            let start = FakePlatform.information.pointee.memory + Int(offset)
            precondition(madvise(start, Int(length), MADV_REMOVE) == 0)
        },
        // Hosted stacks come from malloc, which wants all of its memory.
        guard_page: { _ in 0 },
        read_image: { image, offset, buffer, length in
            guard let image = FakePlatform.images[image] else { return Int64(-EBADF) }
            return Int64(pread(image.descriptor, buffer, Int(length), Int(offset)))
        },
        count_instructions: { _, _ in Int64(-ENOSYS) },
        stream_read: fakeRead,
        stream_write: { stream, segments, count in
            var total = 0
            for index in 0..<Int(count) {
                let segment = segments[index]
                let bytes = UnsafeRawBufferPointer(
                    start: segment.base,
                    count: Int(segment.length)
                )
                FakePlatform.output[stream, default: []] += bytes
                total += bytes.count
            }
            return Int64(total)
        },
        wait: fakeWait,
        disk_describe: { number, description in
            guard Int(number) < FakePlatform.disks.count else { return Int64(-ENODEV) }
            description.pointee = FakePlatform.disks[Int(number)].description
            return 0
        },
        disk_read: fakeDiskRead,
        disk_write: fakeDiskWrite,
        disk_flush: { number in
            FakePlatform.disks[Int(number)].flushes += 1
            return FakePlatform.disks[Int(number)].error
        },
        disk_discard: { number, offset, length in
            FakePlatform.disks[Int(number)].discarded = offset..<offset + length
            return FakePlatform.disks[Int(number)].error
        },
        files_describe: fakeFilesDescribe,
        files_ask: fakeFilesAsk,
        card_describe: fakeCardDescribe,
        card_receive: fakeCardReceive,
        card_room: fakeCardRoom,
        card_send: fakeCardSend,
        exit: { status in
            // A panic in a test: say what the kernel said before it ends the test process.
            let message = FakePlatform.output[2] ?? []
            _ = message.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
            fatalError("the kernel ended the instance with status \(status)")
        }
    )
}

private func pointer(_ address: UInt64) -> UnsafeMutableRawPointer? {
    UnsafeMutableRawPointer(bitPattern: UInt(address))
}

private func answer(_ result: Int32) -> Int64 { result < 0 ? Int64(-errno) : Int64(result) }

private func fakeSpace() -> Int64 {
    guard FakePlatform.spaces.count < FakePlatform.spaceLimit else { return Int64(-EAGAIN) }
    var number: UInt64 = 0
    while FakePlatform.spaces.contains(number) { number += 1 }
    FakePlatform.spaces.insert(number)
    return Int64(number)
}

private func fakeMap(
    _ start: UInt64,
    _ length: UInt64,
    _ protection: UInt32,
    _ flags: Int32,
    _ descriptor: Int32,
    _ offset: UInt64
) -> Int64 {
    FakePlatform.mappingCalls += 1
    let result = mmap(
        pointer(start),
        Int(length),
        Int32(protection),
        flags | MAP_FIXED | MAP_NORESERVE,
        descriptor,
        Int(offset)
    )
    return result == MAP_FAILED ? Int64(-errno) : 0
}

private func fakeMove(
    _ from: UInt64,
    _ fromLength: UInt64,
    _ to: UInt64,
    _ toLength: UInt64
) -> Int64 {
    FakePlatform.mappingCalls += 1
    // MREMAP_MAYMOVE | MREMAP_FIXED, of which Glibc's module leaves out the second.
    let moved = moveMapping(pointer(from), Int(fromLength), Int(toLength), 3, pointer(to))
    guard moved != MAP_FAILED else { return Int64(-errno) }
    // The window stays reserved where the pages were.
    return fakeMap(from, fromLength, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
}

private func fakeRead(
    _ stream: Int32,
    _ segments: UnsafePointer<platform_segment>,
    _ count: UInt64
) -> Int64 {
    var total = 0
    for index in 0..<Int(count) {
        let available = FakePlatform.input[stream]?.count ?? 0
        let length = min(Int(segments[index].length), available)
        guard length > 0, let base = segments[index].base else { break }
        for offset in 0..<length {
            base.storeBytes(
                of: FakePlatform.input[stream]![offset],
                toByteOffset: offset,
                as: UInt8.self
            )
        }
        FakePlatform.input[stream]!.removeFirst(length)
        total += length
    }
    return Int64(total)
}

/// Output is always ready, input when there is some; else the deadline comes at once. Where there
/// is none nothing will ever happen: the test that waits so is told instead of being left to spin.
private func fakeWait(
    _ streams: UnsafeMutablePointer<platform_poll>?,
    _ count: UInt64,
    _ deadline: UInt64
) -> Int64 {
    var ready: Int64 = 0
    for index in 0..<Int(count) {
        guard let streams else { break }
        let isInput = !(FakePlatform.input[streams[index].stream] ?? []).isEmpty
        let events = Int16(POLLOUT) | (isInput ? Int16(POLLIN) : 0)
        streams[index].ready = streams[index].events & events
        if streams[index].ready != 0 { ready += 1 }
    }
    guard ready == 0, deadline != 0 else { return ready }
    FakePlatform.waits += 1
    FakePlatform.whileWaiting()
    // As an interrupt ends a wait.
    guard boot_cpu.pending == 0 else { return 0 }
    guard deadline != .max, FakePlatform.waits < FakePlatform.waitLimit else {
        FakePlatform.endlessWait()
        return 0
    }
    FakePlatform.time = max(FakePlatform.time, deadline)
    return 0
}

extension FakePlatform {
    /// Reserves the program's two areas, so that nothing else of the test process gets there.
    static func reserveUserWindow() {
        // RewriterTests run code in the gap.
        let low: [(UInt64, UInt64)] = [(0x40_0000, 0x2000_0000), (0x2100_0000, 0x7000_0000)]
        for (start, end) in low + [(userStart, userEnd)] {
            let isFirst = memoryReserved == false
            let result = mmap(
                pointer(start),
                Int(end - start),
                PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
                    | (isFirst ? Int32(0x100000) : MAP_FIXED),
                -1,
                0
            )
            precondition(result == pointer(start), "the test process has something in the window")
        }
        memoryReserved = true
    }

    nonisolated(unsafe) private static var memoryReserved = false
}

@_silgen_name("mremap")
private func moveMapping(
    _ from: UnsafeMutableRawPointer?,
    _ fromLength: Int,
    _ toLength: Int,
    _ flags: Int32,
    _ to: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer?
