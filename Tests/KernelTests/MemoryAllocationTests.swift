import FakePlatform
import Platform
import Testing

@testable import Kernel

@Suite struct MemoryAllocationTests {
    @Test func freshFramesAreZeroAndDistinct() throws {
        try withMachine {
            let (first, isZero) = try #require(FrameAllocator.allocate())
            #expect(isZero)
            #expect(first.address.load(as: UInt64.self) == 0)
            let (second, _) = try #require(FrameAllocator.allocate())
            #expect(first != second)
            #expect(FrameAllocator.usedFrames == 2)
            FrameAllocator.free(first)
            FrameAllocator.free(second)
            #expect(FrameAllocator.usedFrames == 0)
        }
    }

    @Test func blocksAreAlignedToTheirSizeAndMergeAgain() throws {
        try withMachine {
            var frames: [(Frame, Int)] = []
            for order in [0, 3, 0, 5, 1, 10, 0, 2] {
                let (frame, _) = try #require(FrameAllocator.allocate(order: order))
                #expect(frame.number % (1 << UInt32(order)) == 0)
                frames.append((frame, order))
            }
            for (frame, order) in frames { FrameAllocator.free(frame, order: order) }
            // Everything comes together: the largest block that fits can be had again.
            #expect(FrameAllocator.allocate(order: 12) != nil)
        }
    }

    @Test func allMemoryCanBeHadAndAllComesBack() throws {
        withMachine {
            var frames: [Frame] = []
            while let (frame, _) = FrameAllocator.allocate() { frames.append(frame) }
            #expect(frames.count == FrameAllocator.totalFrames)
            #expect(Set(frames.map(\.number)).count == frames.count)
            for frame in frames { FrameAllocator.free(frame) }
            #expect(FrameAllocator.freeFrames == FrameAllocator.totalFrames)
        }
    }

    @Test func releasedMemoryIsKnownToBeZero() throws {
        try withMachine {
            let (frame, _) = try #require(FrameAllocator.allocate())
            frame.address.storeBytes(of: 7, as: UInt64.self)
            FrameAllocator.free(frame)
            let again = try #require(FrameAllocator.allocate())
            #expect(again.frame == frame && !again.isZero)
            FrameAllocator.free(frame)
            FrameAllocator.trim(keeping: 0)
            #expect(FakePlatform.releasedBytes == 4096)
            var found = try #require(FrameAllocator.allocate())
            while found.frame != frame { found = try #require(FrameAllocator.allocate()) }
            #expect(found.isZero)
            #expect(frame.address.load(as: UInt64.self) == 0)
        }
    }

    @Test func manyFreeFramesGoBackByThemselves() {
        withMachine {
            let frames = (0..<4096).compactMap { _ in FrameAllocator.allocate()?.frame }
            for frame in frames { FrameAllocator.free(frame) }
            #expect(FakePlatform.releasedBytes >= 2048 * 4096)
        }
    }

    @Test func aLargePageIsZeroAndComesBackWholeOrInPieces() throws {
        try withMachine {
            let order = FrameAllocator.largePageOrder
            for isCut in [false, true] {
                let page = try #require(FrameAllocator.allocateLargePage())
                #expect(page.number % 512 == 0)
                let bytes = UnsafeMutableRawBufferPointer(start: page.address, count: 4096 << order)
                #expect(bytes.allSatisfy { $0 == 0 })
                bytes.initializeMemory(as: UInt8.self, repeating: 1)
                #expect(FrameAllocator.usedFrames == 512)
                if isCut {
                    FrameAllocator.cutLargePage(page)
                    for index in 0..<512 as Range<UInt32> {
                        FrameAllocator.free(Frame(number: page.number + index))
                    }
                } else {
                    FrameAllocator.free(page, order: order)
                }
                #expect(FrameAllocator.usedFrames == 0)
            }
        }
    }

    @Test func aLargePageIsOnlyGivenWhileHalfOfTheMemoryIsFree() {
        withMachine {
            var frames = 0
            while FrameAllocator.allocateLargePage() != nil { frames += 512 }
            #expect(frames >= FrameAllocator.totalFrames / 2 - 512)
            #expect(frames <= FrameAllocator.totalFrames / 2 + 512)
        }
    }

    @Test func everySizeClassHoldsItsSizes() {
        withMachine {
            for size in 1...KernelHeap.largestSlabObject {
                let index = KernelHeap.classIndex(size)
                #expect(KernelHeap.classSize(index) >= size)
                #expect(index == 0 || KernelHeap.classSize(index - 1) < size)
            }
        }
    }

    @Test func heapHonoursAlignment() throws {
        try withMachine {
            for shift in 0...16 {
                for size in [1, 24, 100, 2000, 5000] {
                    let object = try #require(KernelHeap.allocate(size, alignment: 1 << shift))
                    #expect(UInt(bitPattern: object) % (1 << UInt(shift)) == 0)
                    KernelHeap.free(object)
                }
            }
            #expect(KernelHeap.liveBytes == 0)
        }
    }

    @Test func randomAllocationsNeverOverlapAndCountersReturnToZero() throws {
        try withMachine {
            var random = SeededRandom(seed: 1)
            var live: [(UnsafeMutableRawPointer, Int, UInt8)] = []
            for round in 0..<60_000 {
                if live.count > 500 || (!live.isEmpty && random.next() % 2 == 0) {
                    let index = Int(random.next() % UInt64(live.count))
                    let (object, size, tag) = live.remove(at: index)
                    let bytes = UnsafeRawBufferPointer(start: object, count: size)
                    #expect(bytes.allSatisfy { $0 == tag })
                    KernelHeap.free(object)
                } else {
                    let size = Int(
                        random.next() % 100 == 0 ? random.next() % 60_000 : random.next() % 300
                    )
                    let object = try #require(KernelHeap.allocate(size))
                    let tag = UInt8(truncatingIfNeeded: round)
                    object.initializeMemory(as: UInt8.self, repeating: tag, count: size)
                    live.append((object, size, tag))
                }
                #expect(KernelHeap.liveBlocks == live.count)
            }
            for (object, _, _) in live { KernelHeap.free(object) }
            #expect(KernelHeap.liveBytes == 0 && KernelHeap.liveLargeBlocks == 0)
            for index in 0..<KernelHeap.classCount {
                #expect(KernelHeap.liveObjects(inClass: index).count == 0)
            }
        }
    }

    @Test func objectsOfReusedSlabsThatWereNeverWrittenCanBeFreed() {
        withMachine {
            for _ in 0..<3 {
                let objects = (0..<1000).compactMap { _ in KernelHeap.allocate(64) }
                for object in objects { KernelHeap.free(object) }
            }
            #expect(KernelHeap.liveBlocks == 0)
        }
    }

    @Test func heapWithoutMemoryAnswersNilAndRecovers() {
        withMachine {
            var objects: [UnsafeMutableRawPointer] = []
            while let object = KernelHeap.allocate(1 << 20) { objects.append(object) }
            while let object = KernelHeap.allocate(2048) { objects.append(object) }
            #expect(!KernelHeap.hasReserve())
            for object in objects { KernelHeap.free(object) }
            #expect(KernelHeap.hasReserve())
            #expect(KernelHeap.allocate(1 << 20) != nil)
        }
    }
}

/// The same numbers on every run: SplitMix64.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
