// What the page says, in Korean.

export const EXAMPLES = [
  '다 쓴 페트병은 어떻게 버려?',
  '배달 용기에 양념이 배었는데 재활용돼?',
  '깨진 유리컵은 어디에 버려야 해?',
  '건전지랑 형광등은 어떻게 버려?',
];

const STAGES = {
  vision: '사진 살펴보기',
  intent: '의도 파악',
  place: '위치 확인',
  waste_rag: '분리배출 안내 검색',
  feedback: '다른 말로 다시 검색',
  household_waste: '배출 요일 조회',
  general: '대화 준비',
  answer: '답변 작성',
  bulk_waste: '대형폐기물 조회',
  character: '캐릭터 조회',
  location: '가까운 장소 검색',
  collection_point: '수거함 검색',
  recyclable_price: '재활용품 시세 조회',
  weather: '날씨 조회',
  web_search: '웹 검색',
  image_generation: '그림 그리기',
};

export const stageName = (node) => STAGES[node] ?? node;

export const STAGE_STATUS = {
  running: '진행 중', completed: '완료', failed: '실패', skipped: '건너뜀', stopped: '멈춤',
};

const PROBLEMS = {
  offline: '서버에 닿지 못했어요. 인터넷 연결을 확인해 주세요.',
  session_busy: '이 대화는 아직 앞선 질문에 답하고 있어요.',
  session_not_found: '이 대화를 찾을 수 없어요. 지워졌거나 다른 사람의 대화예요.',
  image_not_found: '이 그림은 더 이상 보관되어 있지 않아요.',
  not_waiting: '답변이 이미 다음으로 넘어갔어요.',
  job_not_found: '이 답변은 더 이상 보관되어 있지 않아요.',
  events_expired: '답변의 진행 기록이 만료되었어요.',
  queue_full: '지금 기다리는 질문이 많아요. 잠시 뒤에 다시 시도해 주세요.',
  unavailable: '서비스 일부가 잠시 멈췄어요. 잠시 뒤에 다시 시도해 주세요.',
  internal_error: '저희 쪽에서 문제가 생겼어요. 다시 시도해 주세요.',
  invalid_fields: '이 질문은 보낼 수 없는 글자나 내용을 담고 있어요.',
  malformed_request: '질문을 보내는 형식이 잘못되었어요. 새로고침해 주세요.',
  body_too_large: '질문이 너무 길어요. 조금 줄여 주세요.',
  idempotency_in_flight: '같은 질문을 이미 처리하고 있어요. 잠시 뒤에 다시 시도해 주세요.',
  idempotency_mismatch: '질문을 다시 보내지 못했어요. 다시 시도해 주세요.',
  model_rejected: '언어 모델이 요청을 받지 않았어요. 운영자가 설정을 살펴봐야 해요.',
  answer_refused: '이 질문에는 답할 수 없대요. 다르게 물어봐 주세요.',
  deadline_exceeded: '답변이 너무 오래 걸려 멈췄어요. 다시 물어봐 주세요.',
  attempts_exhausted: '여러 번 시도했지만 답하지 못했어요. 잠시 뒤에 다시 물어봐 주세요.',
  unreadable_job: '이 버전의 서비스가 질문을 읽지 못했어요.',
};

const BY_STATUS = {
  401: '로그인이 필요해요.',
  403: '이 대화를 볼 권한이 없어요.',
  404: PROBLEMS.job_not_found,
  413: PROBLEMS.body_too_large,
  429: '질문을 너무 자주 보냈어요. 잠시 뒤에 다시 시도해 주세요.',
  503: PROBLEMS.unavailable,
};

export const problemText = ({ code, status }) =>
  PROBLEMS[code] ?? BY_STATUS[status] ?? '답변하지 못했어요. 다시 시도해 주세요.';

export const NOTICES = {
  offline: '인터넷 연결이 끊겼어요.',
  offlineInMidAnswer: '인터넷 연결이 끊겼어요. 다시 연결되면 이어서 보여 드릴게요.',
  reconnecting: '연결이 끊겨 다시 잇고 있어요. 이어서 보여 드릴게요.',
  stopFailed: '멈추지 못했어요. 다시 눌러 주세요.',
};

export const PICTURE_GONE = '이 그림은 더 이상 볼 수 없어요.';

export const PLACE = {
  waiting: '위치를 기다리는 중',
  title: '위치가 필요해요',
  use: '현재 위치 사용',
  locating: '위치를 확인하고 있어요.',
  sending: '위치를 보내고 있어요.',
  sent: '위치를 보냈어요.',
  hint: '또는 지역 이름을 넣어 다시 물어보세요. 기다리면 위치 없이 답해 드려요.',
  privacy: '위치는 이 질문에 답하는 데만 쓰여요.',
  expired: '시간이 지나 위치 없이 답하고 있어요.',
};

export const placeCountdown = (seconds) =>
  `${seconds > 60 ? `${Math.ceil(seconds / 60)}분` : `${seconds}초`} 뒤에는 위치 없이 답해요.`;

export const PLACE_PROBLEMS = {
  denied: '위치를 쓰도록 허락받지 못했어요. 브라우저 설정에서 위치를 허용해 주세요.',
  unavailable: '지금 위치를 알 수 없어요. 잠시 뒤에 다시 눌러 주세요.',
  timeout: '위치를 찾는 데 너무 오래 걸렸어요. 다시 눌러 주세요.',
  unsupported: '이 브라우저나 주소에서는 위치를 쓸 수 없어요.',
};

export function duration(ms) {
  if (ms < 1000) return `${Math.max(1, Math.round(ms))}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}초`;
  return `${Math.floor(ms / 60_000)}분 ${Math.round((ms % 60_000) / 1000)}초`;
}

export function revisedText(isoDate) {
  const date = /^(\d{4})-(\d{2})-(\d{2})/.exec(isoDate ?? '');
  return date ? `${date[1]}.${date[2]}.${date[3]}. 개정` : '개정일 미상';
}
